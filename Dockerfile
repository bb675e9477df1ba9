# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
#
# The node on the official image of a ROS 2 distribution; docs/install.md has how to run it.
#   docker build --build-arg ROS_DISTRO=jazzy --tag stereo_depth_node .
ARG ROS_DISTRO=jazzy

# ---- what the node needs; the devcontainer is made of this, too
FROM ros:${ROS_DISTRO}-ros-base AS base
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
WORKDIR /ws
COPY package.xml src/stereo_depth_node/
# Versions are those of the distribution. numba is optional, and not every release has it.
# hadolint ignore=DL3008
RUN apt-get update \
    && rosdep update --rosdistro "$ROS_DISTRO" \
    && rosdep install --rosdistro "$ROS_DISTRO" --from-paths src --ignore-src -y \
        --dependency-types exec \
    && apt-get install -y --no-install-recommends python3-venv \
    && { apt-get install -y --no-install-recommends python3-numba || echo 'no numba here'; } \
    && rm -rf /var/lib/apt/lists/*

# ---- the node
FROM base AS node
COPY . src/stereo_depth_node
RUN source "/opt/ros/$ROS_DISTRO/setup.bash" \
    && colcon build --packages-select stereo_depth_node \
    && rm -rf build log src
# Also for a user without a home: docker run --user "$(id -u)"
ENV ROS_LOG_DIR=/tmp/ros_log
ENTRYPOINT ["/bin/bash", "-c", "source /ws/install/setup.bash && exec ros2 launch stereo_depth_node depth.launch.py \"$@\"", "--"]
