// Copyright 2026 The stereo_depth_node authors
// SPDX-License-Identifier: Apache-2.0
//
// Pictures of one size over one another, zoomed and moved together. A new picture takes the place
// of the old one when it has been decoded, so that nothing flickers; of pictures that come faster
// than they can be decoded, the newest is shown.
//
// What is shown comes by calls and not as properties: for a changed property NiceGUI makes the
// virtual nodes of the whole page anew, which takes longer than a pair is matched.

const LARGEST_ZOOM = 40;
const CLICK_PX = 4;

export default {
  template: `
    <div class="studio-viewer" tabindex="0" role="application" :aria-label="label"
         @wheel.prevent="onWheel" @pointerdown="onDown" @pointermove="onMove"
         @pointerup="onUp" @pointercancel="onUp" @pointerleave="$emit('leave')"
         @dblclick="fit" @keydown="onKey">
      <div class="studio-stage" :style="stage">
        <img v-for="layer in layers" :key="layer.name" :data-layer="layer.name"
             :data-number="shown[layer.name]?.number" :src="shown[layer.name]?.src"
             v-show="layer.visible && shown[layer.name]" :style="{opacity: layer.opacity}"
             :class="{'studio-pixels': zoom > 2.5}" draggable="false" alt="">
        <svg v-if="marker" :viewBox="'0 0 ' + width + ' ' + height" aria-hidden="true">
          <path :d="cross" class="studio-cross-dark" :stroke-width="3.4 / zoom"/>
          <path :d="cross" class="studio-cross" :stroke-width="1.4 / zoom"/>
        </svg>
      </div>
    </div>`,
  props: { label: String },
  data() {
    return {
      layers: [], width: 0, height: 0, marker: null,
      zoom: 1, x: 0, y: 0, isFitted: true, shown: {}, wanted: {}, pointers: {}, moved: 0,
    };
  },
  computed: {
    stage() {
      return {
        width: this.width + "px",
        height: this.height + "px",
        transform: `translate(${this.x}px, ${this.y}px) scale(${this.zoom})`,
      };
    },
    cross() {
      const { x, y } = this.marker;
      const [cx, cy, near, far] = [x + 0.5, y + 0.5, 3 / this.zoom, 14 / this.zoom];
      return [[1, 0], [-1, 0], [0, 1], [0, -1]]
        .map(([dx, dy]) => `M${cx + dx * near} ${cy + dy * near}L${cx + dx * far} ${cy + dy * far}`)
        .join("");
    },
  },
  watch: {
    width: "fit",
    height: "fit",
  },
  mounted() {
    this.observer = new ResizeObserver(() => this.isFitted && this.fit());
    this.observer.observe(this.$el);
  },
  beforeUnmount() {
    this.observer.disconnect();
  },
  methods: {
    // Returns when they have been drawn.
    async show(layers, width, height) {
      const loading = [];
      [this.layers, this.width, this.height] = [layers, width, height];
      for (const { name, src, number, visible } of this.layers) {
        if (!src || !visible || this.wanted[name] === src) continue;
        this.wanted[name] = src;
        const image = new Image();
        image.src = window.path_prefix + src;
        loading.push(
          image.decode().then(() => {
            // Not behind a newer one that has been decoded before it.
            if (this.wanted[name] === src || !(this.shown[name]?.number > number)) {
              this.shown[name] = { src: image.src, number };
            }
          }),
        );
      }
      await Promise.allSettled(loading);
      // Behind the frame: a timer that is set in it.
      await new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)));
    },
    mark(x, y) {
      this.marker = { x, y };
    },
    fit() {
      const { clientWidth, clientHeight } = this.$el;
      if (!clientWidth || !this.width) return;
      this.zoom = Math.min(clientWidth / this.width, clientHeight / this.height);
      this.x = (clientWidth - this.zoom * this.width) / 2;
      this.y = (clientHeight - this.zoom * this.height) / 2;
      this.isFitted = true;
    },
    zoomBy(factor, x, y) {
      const zoom = Math.min(Math.max(this.zoom * factor, 0.05), LARGEST_ZOOM);
      this.x = x - ((x - this.x) * zoom) / this.zoom;
      this.y = y - ((y - this.y) * zoom) / this.zoom;
      this.zoom = zoom;
      this.isFitted = false;
    },
    place(event) {
      const frame = this.$el.getBoundingClientRect();
      return [event.clientX - frame.left, event.clientY - frame.top];
    },
    pixel(event) {
      const [x, y] = this.place(event);
      const pixel = {
        x: Math.floor((x - this.x) / this.zoom),
        y: Math.floor((y - this.y) / this.zoom),
      };
      const isInside = pixel.x >= 0 && pixel.y >= 0 && pixel.x < this.width && pixel.y < this.height;
      return isInside ? pixel : null;
    },
    onWheel(event) {
      this.zoomBy(Math.exp(-event.deltaY / 400), ...this.place(event));
    },
    onDown(event) {
      if (!Object.keys(this.pointers).length) this.moved = 0;
      this.pointers[event.pointerId] = this.place(event);
      this.$el.setPointerCapture(event.pointerId);
    },
    onMove(event) {
      const before = this.pointers[event.pointerId];
      const [x, y] = this.place(event);
      if (before) {
        this.moved += Math.hypot(x - before[0], y - before[1]);
        const others = Object.entries(this.pointers).filter(([id]) => id != event.pointerId);
        if (others.length) {
          const [ox, oy] = others[0][1];
          const ratio = Math.hypot(x - ox, y - oy) / Math.hypot(before[0] - ox, before[1] - oy);
          this.zoomBy(ratio, (x + ox) / 2, (y + oy) / 2);
        } else if (this.moved > CLICK_PX) {
          this.x += x - before[0];
          this.y += y - before[1];
          this.isFitted = false;
        }
        this.pointers[event.pointerId] = [x, y];
      }
      const pixel = this.pixel(event);
      this.$emit(pixel ? "point" : "leave", pixel);
    },
    onUp(event) {
      const wasDown = event.pointerId in this.pointers;
      delete this.pointers[event.pointerId];
      const pixel = this.pixel(event);
      if (wasDown && event.type === "pointerup" && this.moved <= CLICK_PX && pixel) {
        this.$emit("pick", pixel);
      }
    },
    onKey(event) {
      const step = event.shiftKey ? 10 : 1;
      const moves = {
        ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step],
      };
      const { clientWidth, clientHeight } = this.$el;
      if (event.key in moves && !event.ctrlKey && !event.altKey) {
        const [dx, dy] = moves[event.key];
        const at = this.marker || { x: this.width >> 1, y: this.height >> 1 };
        this.$emit("pick", {
          x: Math.min(Math.max(at.x + dx, 0), this.width - 1),
          y: Math.min(Math.max(at.y + dy, 0), this.height - 1),
        });
      } else if (event.key === "+" || event.key === "=") {
        this.zoomBy(1.25, clientWidth / 2, clientHeight / 2);
      } else if (event.key === "-") {
        this.zoomBy(0.8, clientWidth / 2, clientHeight / 2);
      } else if (event.key === "0") {
        this.fit();
      } else {
        return;
      }
      event.preventDefault();
      event.stopPropagation();
    },
  },
};
