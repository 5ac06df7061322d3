"""The book as a PDF: pages put together, and a small book printed in Chromium and read back."""

import base64
import importlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from _pipeline import pdf
from _pipeline.cli import main
from _pipeline.pdf_book import assemble, names, page_rules
from _pipeline.pdf_parts import Part, headings, mend_links, printed_article, read_parts
from _pipeline.pdf_tables import claims_table
from _pipeline.project import BuildError, Project
from bs4 import BeautifulSoup
from pypdf import PdfReader

REPOSITORY = Path(__file__).resolve().parent.parent

CONTENTS = {
    "root": "intro",
    "parts": [
        {"caption": "Begin & end", "chapters": [{"file": "01_first"}, {"file": "02_second"}]},
        {
            "caption": "Back matter",
            "chapters": [
                {"file": "scorecard"},
                {"file": "api", "sections": [{"file": "api_tasks"}]},
                {"file": "contributing"},
                {"file": "glossary", "sections": [{"file": "notation"}]},
            ],
        },
    ],
}
CITATION = {
    "title": 'A "small" book',
    "version": "0.3.0",
    "abstract": "Of little.",
    "keywords": ["one", "two"],
    "authors": [{"given-names": "Ada", "family-names": "Lovelace"}, {"name": "The others"}],
    "references": [
        {
            "title": "Notes",
            "authors": [{"family-names": "Menabrea"}],
            "url": "https://example.org/n",
        }
    ],
}
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">'
    '<rect width="100%" height="100%" fill="white"/>{marks}</svg>'
)
BUILT = {"version": "0.3.0", "commit": "c" * 40, "date": "2026-02-03", "line": "Version 0.3.0"}


def picture(height: int, words: list[str]) -> str:
    """A chart's static picture with a line and these words, evenly down its height."""
    step = height // len(words)
    marks = "".join(
        f'<path d="M10 {i * step + 20}L300 {i * step + step // 3}" stroke="red"/>'
        f'<text x="10" y="{i * step + 20}">{word}</text>'
        for i, word in enumerate(words)
    )
    svg = SVG.format(width=320, height=height, marks=marks)
    coded = base64.b64encode(svg.encode()).decode()
    return f'<img class="ltr-chart-static" alt="lines" src="data:image/svg+xml;base64,{coded}"/>'


def page(title: str, body: str, head: str = "") -> str:
    """A page as the theme makes it, with what is around the article."""
    return (
        f"<html><head>{head}</head><body><nav>Sidebar</nav><main><button>Download</button>"
        f'<article class="bd-article"><section id="top"><h1>{title}'
        f'<a class="headerlink" href="#top">#</a></h1>{body}</section></article></main>'
        "</body></html>"
    )


FIRST = page(
    '<span class="section-number">1. </span>First',
    '<p>Of weights <span class="math">\\(W_k\\)</span>; '
    'see <a href="02_second.html#deep">there</a>, '
    '<a href="#fig-one">Figure 1.1</a>, <a href="api.html#x">the names</a> and '
    '<a href="https://example.org">elsewhere</a>.</p>'
    '<div class="cell"><details class="hide above-input"><summary>Show</summary><pre>folded()</pre>'
    '</details></div><div class="cell"><pre>shown()</pre></div>'
    f'<figure id="fig-one">{picture(200, ["vector words"])}'
    '<div class="ltr-chart-live">live</div><figcaption>A line.</figcaption></figure>'
    "<details><summary>Answer</summary><p>Yes.</p></details>"
    '<div class="ltr-claim"><details><summary>Fold</summary><p>Its criterion.</p></details></div>',
    '<script>window.MathJax = {"options": {}}</script>'
    '<script defer src="_static/mathjax/tex-mml-chtml.js"></script>',
)
SECOND = page(
    "Second",
    f"<h2>Tall</h2>{picture(2100, ['above', 'amid', 'below'])}"
    '<section id="deep"><h2>Deep <a href="#deep">down</a></h2><p>Back to '
    '<a href="01_first.html">the first</a> and <a href="02_second.html#lost">what is lost</a>.</p>'
    '<p>See <a href="scorecard.html#claim-p3-one">its row</a>.</p></section>',
)


def row(**changes: Any) -> dict[str, Any]:
    measured = {"x": {"values": [0.8, 1.0], "mean": 0.9, "sd": 0.1}}
    control = {"noise": {"x": {"values": [0.2], "mean": 0.2, "sd": None}}}
    plain = {
        "id": "P3.one",
        "chapter": "01_first",
        "statement": "It is <less> than $g^2$.",
        "expression": "min(x) > 0.5",
        "measured": measured,
        "control": control,
        "comparison": {},
        "holds": True,
        "scale": "book",
        "seed": 0,
    }
    return plain | changes


RECORD = {
    "id": "time",
    "chapter": "01_first",
    "figure": "Learning time",
    "source": "read off",
    "setting": "N 256",
    "unit": "epochs",
    "scale": "book",
    "seed": 0,
    "at_published_size": None,
    "rows": [
        {
            "quantity": "g 0",
            "published": 105.0,
            "tolerance": 50.0,
            "ours": {"values": [70.0, 74.0], "mean": 72.0, "sd": 2.8},
            "missing": None,
            "agrees": True,
            "at_published_size": None,
        }
    ],
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project in a folder with a space whose small site stands; not to be changed."""
    found = Project(tmp_path_factory.mktemp("a project"))
    files: dict[Path, Any] = {
        found.toc: CONTENTS,
        found.root / "CITATION.cff": CITATION,
        found.config: {"repository": {"url": ""}},
        found.build / "_config.yml": {"sphinx": {"config": {"html_context": {"ltr_build": BUILT}}}},
    }
    found.html.mkdir(parents=True)
    for path, content in files.items():
        path.write_text(yaml.safe_dump(content), encoding="utf-8")
    pages = {"index": "", "intro": page("Welcome", "<p>Begin.</p>"), "01_first": FIRST}
    pages |= {
        "02_second": SECOND,
        "glossary": page("Glossary", ""),
        "notation": page("Notation", ""),
    }
    for name, text in pages.items():
        (found.html / f"{name}.html").write_text(text, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(REPOSITORY / "book" / "_ext"))
        importlib.import_module("ltr_mathjax").copy_mathjax(found.html / "_static" / "mathjax")
    for name, rows in {"ledger": [row()], "published": [RECORD]}.items():
        (found.build / f"{name}.json").write_text(json.dumps(rows), encoding="utf-8")
    return found


def test_the_order_is_that_of_the_contents_less_what_is_online_only() -> None:
    assert read_parts(CONTENTS) == [
        Part("", ("intro",)),
        Part("Begin & end", ("01_first", "02_second")),
        Part("Back matter", ("scorecard", "glossary", "notation")),
    ]
    plain = {"root": "intro", "chapters": [{"file": "01_first"}]}
    assert read_parts(plain) == [Part("", ("intro",)), Part("", ("01_first",))]


@pytest.fixture
def first(project: Project) -> Any:
    return printed_article(project.html / "01_first.html", "01_first", ["01_first", "02_second"])


def test_what_only_a_screen_needs_is_left_out_and_what_is_folded_is_shown(first: Any) -> None:
    text = first.get_text()
    assert not [word for word in ("Sidebar", "Download", "#", "folded", "live") if word in text]
    assert "shown()" in text
    assert not first.find_all(["details", "summary", "button", "script"])
    assert "Answer" in text
    assert "Its criterion." in text
    assert "Fold" not in text  # the card says what it holds
    assert len(first.select(".cell")) == 1


def test_places_and_links_are_the_documents_own(first: Any) -> None:
    assert first["id"] == "01_first"
    assert first.figure["id"] == "01_first--fig-one"
    links = {link.get_text(): link["href"] for link in first.find_all("a")}
    assert links == {
        "there": "#02_second--deep",
        "Figure 1.1": "#01_first--fig-one",
        "elsewhere": "https://example.org",
    }
    assert "the names" in first.get_text()


def test_headings_lie_below_the_parts_and_make_the_contents(project: Project) -> None:
    article = printed_article(project.html / "02_second.html", "02_second", ["02_second"])
    assert [tag.name for tag in article.find_all(["h1", "h2", "h3"])] == ["h2", "h3", "h3"]
    lines = headings(article)
    assert [(line.depth, line.text) for line in lines][::2] == [(1, "Second"), (2, "Deep down")]
    assert lines[2].target == "02_second--deep"


def test_a_link_to_what_is_not_printed_leads_to_its_page() -> None:
    body = BeautifulSoup(
        '<section class="chapter" id="a"><p id="a--x"></p><p id="a--y"></p>'
        '<a href="#a--x">x</a><a href="#a--gone">gone</a></section>',
        "html.parser",
    )
    mend_links(body)
    assert [link["href"] for link in body.find_all("a")] == ["#a--x", "#a"]
    assert [tag["id"] for tag in body.select("[id]")] == ["a", "a--x"]


def test_persons_and_running_titles_may_hold_anything() -> None:
    people = [{"name": "A"}, {"given-names": "B", "family-names": "C"}, {"family-names": "D"}]
    assert names(people) == "A, B C and D"
    assert names(people[:1]) == "A"
    rules = page_rules({"a": 'x</style>"\\'}, "Book")
    assert r"x\3c /style\3e \22 \5c " in rules


def test_every_claim_has_its_row() -> None:
    rows = [row(), row(id="P3.two", holds=None), row(id="S1.three", holds=False, chapter="02")]
    table = BeautifulSoup(claims_table(rows, {"01_first": "1. First"}), "html.parser")
    listed = [
        [cell.get_text(" ") for cell in line.find_all(["th", "td"])] for line in table.select("tr")
    ]
    assert [len(line) for line in listed] == [6, 1, 6, 6, 1, 6]
    assert listed[1] == ["1. First"]
    claim, statement, criterion, measured, controls, _ = listed[2]
    assert claim.replace(" ", "") == "P3.one"
    assert statement == r"It is <less> than  \(g^2\) ."
    assert "".join(criterion.split()) == "min(x)>0.5"
    assert measured == "x  0.9 ± 0.1 (n = 2)"
    assert controls == "noise x  0.2 (n = 1)"
    assert [line[-1] for line in listed if len(line) == 6][1:] == [
        "✓ holds",
        "– not judged at smoke scale",
        "✗ does not hold",
    ]
    assert "76" not in claims_table(rows, {})
    assert "3 claims. ✓ holds: 1;" in table.p.get_text()


def test_without_a_site_or_a_part_of_it_the_user_is_told(project: Project, tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="no site in _build/html: run make book"):
        assemble(Project(tmp_path))
    bare = Project(tmp_path)
    bare.html.mkdir(parents=True)
    (bare.html / "index.html").touch()
    with pytest.raises(BuildError, match=r"_build/ledger\.json is missing: run make book"):
        assemble(bare)
    with pytest.raises(BuildError, match=r"gone\.html cannot be read"):
        printed_article(project.html / "gone.html", "gone", [])


def test_without_a_browser_the_user_is_told_and_the_last_pdf_stays(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    last = project.build / pdf.NAME
    last.write_bytes(b"the last good one")
    monkeypatch.setattr(pdf, "BROWSERS", ())
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(project.root / "none"))
    assert main(["pdf", "--root", str(project.root)]) == 1
    assert "playwright install --with-deps chromium" in capsys.readouterr().err
    assert last.read_bytes() == b"the last good one"
    last.unlink()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    try:
        with pdf.chromium() as found:
            yield found
    except BuildError as fault:
        pytest.skip(str(fault))


@pytest.fixture(scope="module")
def printed(browser: Any, project: Project) -> bytes:
    """The small book's PDF."""
    document = pdf.print_document(browser, assemble(project), project.html)
    return pdf.finished(document, project)


@pytest.fixture(scope="module")
def reader(printed: bytes) -> PdfReader:
    return PdfReader(io.BytesIO(printed))


@pytest.fixture(scope="module")
def texts(reader: PdfReader) -> list[str]:
    """The words of each page."""
    return [" ".join(found.extract_text().split()) for found in reader.pages]


def where(texts: list[str], words: str) -> int:
    """The one page after the contents, counted from 1, that has these words."""
    (number,) = [i for i, text in enumerate(texts, start=1) if words in text and i > 2]
    return number


def test_the_title_page_says_what_it_is(texts: list[str]) -> None:
    for words in ('A "small" book', "Ada Lovelace and The others", "Menabrea. Notes."):
        assert words in texts[0]
    assert "Version 0.3.0 of 2026-02-03. Computed at book scale, seed 0." in texts[0]


def test_the_contents_name_the_pages_where_things_stand(texts: list[str]) -> None:
    places = {"Welcome": "Begin.", "1. First": "Of weights", "Deep down": "Back to"}
    places |= {"Claims, measured": "It is <less>", "Published numbers, and ours": "read off"}
    for title, words in places.items():
        assert f"{title} {where(texts, words)}" in texts[1]
    assert "Begin & end 4 1. First 4" in texts[1]


def test_pages_carry_their_number_and_running_title(reader: PdfReader, texts: list[str]) -> None:
    number = where(texts, "Of weights")
    assert 'A "small" book' in texts[number - 1]
    assert texts[number - 1].endswith(f" {number}") or f" {number} " in texts[number - 1]
    wide = {found.mediabox.width > found.mediabox.height for found in reader.pages}
    assert wide == {True, False}  # the table of claims is wide


def test_bookmarks_are_the_books_headings(reader: PdfReader) -> None:
    def titles(items: Any, depth: int = 0) -> list[tuple[int, str]]:
        nested = [
            titles(i, depth + 1) if isinstance(i, list) else [(depth, i.title)] for i in items
        ]
        return [title for part in nested for title in part]

    found = titles(reader.outline)
    for wanted in [(0, "Contents"), (0, "Begin & end"), (1, "1. First"), (2, "Deep down")]:
        assert wanted in found


def test_every_link_within_leads_somewhere(reader: PdfReader) -> None:
    links = [
        note.get_object() for found in reader.pages for note in found.get("/Annots", []) if note
    ]
    within = [link["/Dest"] for link in links if "/Dest" in link]
    assert len(within) > 15
    assert {str(name).lstrip("/") for name in within} <= {
        name.lstrip("/") for name in reader.named_destinations
    }
    outside = [link["/A"]["/URI"] for link in links if "/A" in link]
    assert sorted(set(outside)) == ["https://example.org/", "https://example.org/n"]


def test_figures_are_vectors_and_formulas_are_typeset(reader: PdfReader, texts: list[str]) -> None:
    assert not [image for found in reader.pages for image in found.images]
    assert where(texts, "vector words") == where(texts, "Of weights")
    assert not [text for text in texts if r"\(" in text]


def test_a_picture_taller_than_a_page_goes_over_several(texts: list[str]) -> None:
    pages = [where(texts, word) for word in ("above", "amid", "below")]
    assert pages == sorted(set(pages))


def test_the_appendix_has_claims_and_published_numbers(texts: list[str]) -> None:
    claims = texts[where(texts, "It is <less>") - 1]
    for words in ("P3.one", "0.9 ± 0.1 (n = 2)", "0.2 (n = 1)", "holds"):
        assert words in claims
    numbers = texts[where(texts, "Learning time") - 1]
    for words in ("105 ± 50", "72 ± 2.8 (n = 2)", "agrees"):
        assert words in numbers.replace("\N{NO-BREAK SPACE}", " ")


def test_the_file_says_what_it_is(reader: PdfReader) -> None:
    assert reader.metadata is not None
    assert reader.metadata.title == 'A "small" book'
    assert reader.metadata.author == "Ada Lovelace and The others"
    assert f"{reader.metadata.creation_date:%Y-%m-%d}" == "2026-02-03"
    root = reader.root_object
    assert root["/Lang"] == "en"
    assert root["/MarkInfo"]["/Marked"]
    assert "/StructTreeRoot" in root


def test_the_same_site_gives_the_same_bytes(browser: Any, project: Project, printed: bytes) -> None:
    again = pdf.print_document(browser, assemble(project), project.html)
    assert pdf.finished(again, project) == printed


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ('<img src="_images/gone.png" alt="">', r"_images/gone\.png"),
        ('<img src="https://example.org/x.png" alt="">', r"https://example\.org/x\.png"),
    ],
)
def test_what_is_missing_or_foreign_is_told(
    browser: Any, project: Project, body: str, told: str
) -> None:
    with pytest.raises(BuildError, match=told):
        pdf.print_document(browser, f"<body>{body}</body>", project.html)
