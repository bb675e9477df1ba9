# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Links between the pages lead somewhere, and every page says first for whom it is.

The strict build of the site checks those between the pages of docs; these are all of them, as
GitHub and an editor follow them.
"""

from __future__ import annotations

from pathlib import Path
import re

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((*ROOT.glob('*.md'), *(ROOT / 'docs').glob('*.md')))


def without_code(page: Path) -> str:
    return re.sub(r'```.*?```', '', page.read_text(encoding='utf-8'), flags=re.DOTALL)


def anchors_of(page: Path) -> set[str]:
    headings = re.findall(r'^#+ (.+)$', without_code(page), re.MULTILINE)
    plain = [re.sub(r'[^\w\- ]', '', heading.lower().strip()) for heading in headings]
    return {heading.replace(' ', '-') for heading in plain}


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_to_a_file_and_a_heading(page):
    for target in re.findall(r'\]\(([^)\s]+)\)', without_code(page)):
        if re.match(r'https?://', target):
            continue
        name, _, anchor = target.partition('#')
        file = (page.parent / name).resolve() if name else page
        assert file.exists(), f'{page.name}: {target}'
        assert not anchor or anchor in anchors_of(file), f'{page.name}: no heading {target}'


@pytest.mark.parametrize('page', sorted((ROOT / 'docs').glob('*.md')), ids=lambda page: page.name)
def test_a_page_says_first_for_whom_it_is(page):
    _title, sentence = page.read_text(encoding='utf-8').split('\n\n')[:2]
    assert sentence.startswith('For ')


def test_a_heading_gets_the_anchor_that_github_gives_it(tmp_path):
    page = tmp_path / 'page.md'
    page.write_text('# What `rows` cost, in %\n\n```\n# no heading\n```\n')
    assert anchors_of(page) == {'what-rows-cost-in-'}
