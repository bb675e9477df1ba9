# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The program ``stereo_depth studio`` as a process, and its page as a test sees it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
import os
from pathlib import Path
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from typing import Any

__all__ = ['Page', 'served', 'shown']

DEADLINE_S = 120.0


@contextmanager
def served(*arguments: object, environment: Mapping[str, str] = os.environ) -> Iterator[str]:
    """Run ``stereo_depth studio`` and give the address that it prints."""
    # NiceGUI behaves otherwise where it finds itself in a test.
    environment = {
        name: value for name, value in environment.items() if name != 'PYTEST_CURRENT_TEST'
    }
    folder = tempfile.mkdtemp(prefix='studio_')
    process = subprocess.Popen(
        [sys.executable, '-m', 'stereo_depth_node.offline.cli', 'studio', '--no-browser']
        + [str(each) for each in arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
        cwd=folder,
    )
    printed: list[str] = []
    has_address = threading.Event()

    def read() -> None:
        for line in process.stdout:
            printed.append(line)
            if 'http://' in line:
                has_address.set()
        has_address.set()

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        assert has_address.wait(DEADLINE_S)
        found = [line for line in printed if 'http://' in line]
        assert found, ''.join(printed)
        yield found[0].rpartition(' ')[2].strip()
        assert process.poll() is None, ''.join(printed)
        # Files go through the browser.
        assert os.listdir(folder) == []
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(DEADLINE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    reader.join(DEADLINE_S)
    assert process.returncode == 0, ''.join(printed)
    assert not [line for line in printed if 'Traceback' in line], ''.join(printed)


class Page:
    """A page of the studio in the browser, and how a test sees it.

    Parameters
    ----------
    driver : WebDriver
        The browser.
    """

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def js(self, code: str, *arguments: Any) -> Any:
        """Run JavaScript and return its result."""
        return self.driver.execute_script(code, *arguments)

    def until(self, condition: Any, what: str = '') -> Any:
        """Wait until a function returns something true, and return it."""
        from selenium.common.exceptions import WebDriverException

        end = time.monotonic() + DEADLINE_S
        seen: Any = None
        while time.monotonic() < end:
            try:
                seen = condition()
            except WebDriverException as error:  # what is looked at is being replaced
                seen = error
            else:
                if seen:
                    return seen
            time.sleep(0.03)
        raise AssertionError(f'not within {DEADLINE_S} s: {what or condition}; last: {seen}')

    def all(self, selector: str) -> list[Any]:
        """Return the elements of a CSS selector."""
        return list(self.driver.find_elements('css selector', selector))

    def one(self, selector: str) -> Any:
        """Wait for an element and return it."""
        return self.until(lambda: self.all(selector), selector)[0]

    def text(self, selector: str) -> str:
        """Return the text of an element."""
        return str(self.one(selector).text)

    def button(self, label: str, within: str = '') -> Any:
        """Return the visible button of this text or label, once it stands still."""
        place: Any = None

        def found() -> Any:
            nonlocal place
            before = place
            # One question to the browser: a page has a hundred of them.
            button, place = self.js(
                """
                const [label, within] = arguments;
                const all = document.querySelectorAll(`${within} .q-btn, ${within} .q-item`);
                const found = [...all].find((each) => each.checkVisibility()
                    && [each.innerText.trim(), each.getAttribute('aria-label')].includes(label));
                const {x, y, width, height} = found?.getBoundingClientRect() ?? {};
                return [found, width && height ? [x, y, width, height] : null];
                """,
                label,
                within,
            )
            return button if place and place == before else None

        return self.until(found, f'button {label}')

    def click(self, label: str, within: str = '') -> None:
        """Click on a button; again where it was still being shown."""
        self.until(lambda: self.button(label, within).click() or True, f'a click on {label}')

    def layer(self, name: str) -> Any:
        """Return the number of the result whose picture is shown, and a hash of its pixels."""
        return self.js(
            """
            const image = document.querySelector(`img[data-layer="${arguments[0]}"]`);
            if (!image || !image.complete || !image.naturalWidth) return null;
            const canvas = document.createElement('canvas');
            [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
            const context = canvas.getContext('2d');
            context.drawImage(image, 0, 0);
            const data = context.getImageData(0, 0, canvas.width, canvas.height).data;
            let hash = 0;
            for (let i = 0; i < data.length; i++) hash = (hash * 31 + data[i]) | 0;
            return [Number(image.dataset.number), hash];
            """,
            name,
        )

    def number(self) -> int:
        """Return the number of the result that is shown."""
        found = self.js(
            """return document.querySelector('img[data-layer="disparity"]')?.dataset.number"""
        )
        return int(found or 0)

    def settled(self) -> tuple[int, dict[str, str]]:
        """Wait for picture and figures of the last change; return number and figures."""

        def figures() -> dict[str, str] | None:
            found: dict[str, str] = self.js(
                """
                const panel = document.querySelector('[data-panel=figures]');
                const image = document.querySelector('img[data-layer="disparity"]');
                if (!panel || panel.dataset.number !== image?.dataset.number) return null;
                return Object.fromEntries([...panel.querySelectorAll('[data-figure]')].map(
                    (each) => [each.dataset.figure,
                               each.querySelector('.studio-figure-value').textContent]));
                """
            )
            return found if found and '%' in found['density'] else None

        return self.number(), self.until(figures, 'figures')

    def value(self, setting: str) -> str:
        """Return what the entry of a setting shows."""
        return str(
            self.js(
                'return document.querySelector(`[data-setting=${arguments[0]}] input`).value',
                setting,
            )
        )

    def place(self, setting: str) -> str:
        """Return where the slider of a setting stands."""
        slider = self.one(f'[data-setting={setting}] .q-slider')
        return str(slider.get_attribute('aria-valuenow'))

    def type(self, setting: str, text: str) -> None:
        """Type a value into the entry of a setting."""
        from selenium.webdriver.common.keys import Keys

        entry = self.one(f'[data-setting={setting}] input')
        self.js('arguments[0].scrollIntoView({block: "center"})', entry)
        entry.send_keys(Keys.CONTROL, 'a')
        entry.send_keys(text, Keys.ENTER)

    def slide(self, setting: str, *keys: str) -> None:
        """Press keys on the slider of a setting."""
        from selenium.webdriver import ActionChains

        slider = self.one(f'[data-setting={setting}] .q-slider__track-container')
        self.js('arguments[0].focus()', slider)
        ActionChains(self.driver).send_keys(*keys).perform()

    def press(self, *keys: str) -> None:
        """Press keys while nothing has the focus."""
        from selenium.webdriver import ActionChains

        self.js('document.activeElement.blur()')
        ActionChains(self.driver).send_keys(*keys).perform()

    def saves_params(self, output: Path) -> Any:
        """Save params.yaml under the output folder; return the button that saves it again."""
        file = output / 'params.yaml'
        file.unlink(missing_ok=True)  # of another test
        self.settled()
        self.click('Export')
        save = f'Save {file.name} under --output'
        self.click(save)
        self.until(file.exists, 'the file')
        return self.button(save)

    def pick(self, x: int, y: int) -> None:
        """Click on a pixel of the pictures, which are shown whole."""
        from selenium.webdriver import ActionChains

        viewer = self.one('.studio-viewer')
        place = self.js(
            """
            const stage = document.querySelector('.studio-stage').getBoundingClientRect();
            const frame = arguments[0].getBoundingClientRect();
            const scale = stage.width / document.querySelector('.studio-stage').offsetWidth;
            return [stage.left - frame.left + (arguments[1] + 0.5) * scale - frame.width / 2,
                    stage.top - frame.top + (arguments[2] + 0.5) * scale - frame.height / 2];
            """,
            viewer,
            x,
            y,
        )
        chain = ActionChains(self.driver)
        chain.move_to_element_with_offset(viewer, *map(round, place)).click().perform()

    def pick_surely(self, x: int, y: int) -> None:
        """Click on a pixel until the panel is about it."""

        def is_shown() -> bool:
            """Tell whether the panel is about it, to what the mouse can be placed at."""
            place = [int(each) for each in self.pixel().get('Pixel', '-9, -9').split(', ')]
            return max(abs(place[0] - x), abs(place[1] - y)) <= 3

        self.until_done(lambda: self.pick(x, y), is_shown)

    def until_done(self, act: Any, is_done: Any) -> None:
        """Do something until it has its effect.

        A click on a page that begins, and keys for what is being replaced, get lost.
        """

        def done() -> bool:
            act()
            end = time.monotonic() + 2.0
            while not is_done() and time.monotonic() < end:
                time.sleep(0.03)
            return bool(is_done())

        self.until(done, 'the effect of what was done')

    def pixel(self) -> dict[str, str]:
        """Return what the panel of the pixel says."""
        found: dict[str, str] = self.js(
            """
            return Object.fromEntries([...document.querySelectorAll('[data-pixel]')].map(
                (each) => [each.dataset.pixel, each.textContent]));
            """
        )
        return found


def shown(driver: Any, url: str, until: Any = None) -> Page:
    """Open a page and wait for its first picture, by another function where that is given."""
    driver.get(url)
    page = Page(driver)
    (until or page.until)(lambda: page.layer('disparity'), 'the first picture')
    return page
