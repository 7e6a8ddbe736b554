"""Editions: frozen, side by side, compared in their numbers, and checked against their own sources."""

import csv
import dataclasses
import io
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from datetime import date
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest
from conftest import ROOT, edit, open_page, run
from playwright.sync_api import Browser
from test_faults import kill_often, leftovers

from companion.changes import StateError
from companion.changes.compare import as_csv, as_markdown, compare, is_empty
from companion.changes.numbers import Numbers, Table, find, read
from companion.changes.released import RECORDS, keep, latest, since
from companion.citation import metadata
from companion.claims.form import Claim
from companion.editions import EditionError
from companion.editions.archive import check_sums, files_in, write_sums
from companion.editions.freeze import compose, freeze, place, verify
from companion.editions.rebuild import archive_again
from companion.editions.site import Edition, _forward, write_site
from companion.exhibits.form import Exhibit
from companion.files.zips import ArchiveError

FIRST, SECOND = "0.1.0", "0.2.0"
PAGE = "chapters/deliveries.html"
OLD_ROW = "2022-08,2022-08-01,Poland,Warmate,one-way attack,loitering munition,2018,300,"
CHANGES_PAGE = "chapters/evidence/editions.html"
# One number changes as it would with a new state of the database: in its table, by way of the checks.
CHANGE_A_NUMBER = """
from companion.tables.recipes import Built
from companion.tables.refresh import replace
from companion.tables import load

rows = load("uas_deliveries")
chosen = (rows["vintage"] == "2022-08") & (rows["year"] == 2000) & (rows["supplier"] == "Israel")
first = rows.index[chosen][0]
print(rows.loc[first, "designation"], rows.loc[first, "units"])
rows.loc[first, "units"] = 9999
replace({"uas_deliveries": Built(rows)})
"""


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


def quiet(text: str) -> None:
    pass


@pytest.fixture(scope="module")
def repository(small_book: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small book in two commits: the second is version 0.2.0, with one number changed."""
    folder = shutil.copytree(small_book, tmp_path_factory.mktemp("editions") / "book")
    (folder / ".gitignore").write_text("/_build/\n/_site/\n__pycache__/\n", encoding="utf-8")
    book = metadata(folder)
    edit(folder / "CITATION.cff", (f"version: {book.version}", f"version: {FIRST}"))
    (folder / "CHANGELOG.md").write_text(f"## {FIRST} ({book.date_released})\n\nThe first.\n", encoding="utf-8")
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message=First")
    git(folder, "tag", "first")
    keep(folder, folder)
    git(folder, "add", RECORDS)
    changed = run(folder, "python", "-c", CHANGE_A_NUMBER)
    assert changed.returncode == 0, changed.stderr
    recorded = run(folder, "python", "-m", "companion", "expected")
    assert recorded.returncode == 0, recorded.stderr
    assert "C074" in recorded.stdout  # its verdict turned
    released = f"date-released: {book.date_released}"
    edit(folder / "CITATION.cff", (f"version: {FIRST}", f"version: {SECOND}"), (released, "date-released: 2027-03-01"))
    edit(folder / "CHANGELOG.md", (f"## {FIRST} (", f"## {SECOND} (2027-03-01)\n\nOne number.\n\n## {FIRST} ("))
    git(folder, "commit", "--quiet", "--all", "--message=Second")
    git(folder, "tag", "second")
    return folder


@pytest.fixture(scope="module")
def site(repository: Path) -> Path:
    """The site of both editions; the first is frozen before there is a second."""
    site, records = repository / "_site", {}
    for tag in ("first", "second"):
        before = {path: (site / path).read_bytes() for path in files_in(site) if path.startswith(FIRST)}
        git(repository, "checkout", "--quiet", tag)
        made = run(repository, "python", "-m", "companion", "edition")
        assert made.returncode == 0, made.stdout + made.stderr
        assert "Running the chapters" in made.stdout
        assert ("no earlier edition" in made.stdout) == (tag == "first")
        for path, content in before.items():
            assert (site / path).read_bytes() == content, f"{path} was rewritten"
        kept = repository / RECORDS / f"{metadata(repository).version}.zip"
        assert f"Commit {RECORDS}/{kept.name}" in made.stdout
        records[tag] = kept.read_bytes()
        kept.unlink()  # the second commit has the first one's
    assert before, "the first edition was there when the second was made"
    git(repository, "checkout", "--quiet", "main")
    assert (repository / RECORDS / f"{FIRST}.zip").read_bytes() == records["first"], "the same from every copy"
    return site


@pytest.fixture(scope="module")
def archive(site: Path) -> Path:
    return site / SECOND / "downloads" / f"companion-{SECOND}.zip"


def test_the_checksums_of_both_editions_hold(site: Path):
    for version in (FIRST, SECOND):
        assert check_sums(site / version) == []
        checked = subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=site / version, check=False)
        assert checked.returncode == 0


def test_the_list_of_editions_is_there_for_programs_and_readers(site: Path, browser: Browser):
    entries = json.loads((site / "versions.json").read_text(encoding="utf-8"))
    assert [(entry["version"], entry["preferred"]) for entry in entries] == [(SECOND, True), (FIRST, False)]
    assert PAGE in entries[1]["pages"]
    page, trouble = open_page(browser, (site / "editions.html").as_uri(), 360, java_script_enabled=False)
    for version in (FIRST, SECOND):
        assert page.locator(f'a[href="{version}/index.html"]').count() == 1
        assert page.locator(f'a[href="{version}/downloads/companion-{version}.pdf"]').count() == 1
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert trouble == []
    page.context.close()


def test_the_older_edition_leads_to_the_newer_one_that_it_cannot_know(site: Path, browser: Browser):
    page, trouble = open_page(browser, (site / FIRST / PAGE).as_uri() + "#claim-c074")
    notice = page.locator(".edition-notice")
    assert notice.is_visible()
    assert SECOND in notice.inner_text()
    page.locator(".edition summary").focus()
    page.keyboard.press("Enter")
    others = page.locator(".edition a")
    assert f"Version {SECOND}" in others.first.inner_text()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/{SECOND}/{PAGE}")
    assert page.locator(".edition-notice").count() == 0
    assert f"Version {FIRST}" in page.locator(".edition").text_content()
    assert trouble == []
    page.context.close()


def test_a_page_that_the_other_edition_lacks_leads_to_its_front_page(site: Path, browser: Browser):
    page, _ = open_page(browser, (site / SECOND / "search.html").as_uri())
    script = (site / "versions.js").read_text(encoding="utf-8")
    without = script.replace('"search.html"', '"gone.html"')
    page.context.close()
    context = browser.new_context()
    page = context.new_page()
    page.route("**/versions.js", lambda route: route.fulfill(body=without, content_type="text/javascript"))
    page.goto((site / SECOND / "search.html").as_uri())
    assert page.locator(".edition a").first.get_attribute("href").endswith(f"{FIRST}/index.html")
    context.close()


def test_without_javascript_a_page_leads_to_the_list(site: Path, browser: Browser):
    page, trouble = open_page(browser, (site / FIRST / PAGE).as_uri(), java_script_enabled=False)
    page.locator(".edition a").click()
    assert page.url == (site / "editions.html").as_uri()
    assert trouble == []
    page.context.close()


def test_latest_leads_to_the_newest_and_has_its_files(site: Path, browser: Browser):
    page, trouble = open_page(browser, (site / "latest" / PAGE).as_uri() + "#claim-c074")
    page.wait_for_url(f"**/{SECOND}/{PAGE}#claim-c074")
    page.goto((site / "index.html").as_uri())
    page.wait_for_url(f"**/{SECOND}/chapters/index.html")
    assert trouble == []
    page.context.close()
    for name in (
        "exhibits/index.json",
        "exhibits/small-deliveries.csv",
        "claims/index.json",
        "data/uas_deliveries.csv",
    ):
        assert (site / "latest" / name).read_bytes() == (site / SECOND / name).read_bytes()


def test_every_link_of_the_site_leads_somewhere(site: Path):
    for page in (page for page in site.rglob("*.html") if "_static" not in page.parts):
        text = re.sub(r"<script.*?</script>", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
        links = re.findall(r"<(?:a|link)[^>]*\shref=\"([^\"]*)\"", text) + re.findall(r"\ssrc=\"([^\"]*)\"", text)
        for link in links:
            target, anchor = urldefrag(link.partition("?")[0])
            if re.match(r"[a-z]+:", target):
                continue
            path = (page.parent / unquote(target)).resolve() if target else page
            assert path.exists(), (page.relative_to(site), link)
            if anchor and path.suffix == ".html":
                assert f'id="{unquote(anchor)}"' in path.read_text(encoding="utf-8"), (page.relative_to(site), link)


def test_the_comparison_names_the_number_the_exhibit_and_the_claim(repository: Path, site: Path):
    printed = run(repository, "python", "-m", "companion", "compare", FIRST, SECOND)
    assert printed.returncode == 0, printed.stderr
    assert f"From version {FIRST}" in printed.stdout
    assert "1 verdict turned, values moved in 1 exhibit, 2 tables differ" in printed.stdout
    assert "- Verdict: confirmed → refined" in printed.stdout
    assert re.search(r"\| 2000 \| .* \| .* \| .* \| \+9,\d{3} \(\+[\d,.]+%\) \|", printed.stdout)
    assert re.search(r"\| 2022-08, 2020-03-09, Israel, .* \| units \| \d+ \| 9999 \|", printed.stdout)
    table = run(repository, "python", "-m", "companion", "compare", "--csv", "first", str(site / SECOND))
    rows = list(csv.DictReader(io.StringIO(table.stdout)))
    assert {row["id"] for row in rows} == {"uas_deliveries", "claims", "small-deliveries", "C074"}
    assert {"kind": "claim", "id": "C074", "change": "changed", "row": "", "column": "Verdict"}.items() <= next(
        row for row in rows if row["column"] == "Verdict"
    ).items()


def test_what_changed_is_part_of_the_second_edition(site: Path, browser: Browser):
    for width in (1280, 360):
        page, trouble = open_page(browser, (site / SECOND / CHANGES_PAGE).as_uri(), width)
        text = page.locator("article").text_content()
        assert 0 < text.index(f"From version {FIRST}") < text.index("Verdicts on the report’s statements")
        assert "confirmed → refined" in text
        assert "9999" in text
        assert page.locator('a[href$="deliveries.html#small-deliveries"]').count() == 1
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert trouble == []
        page.context.close()
    changes = json.loads((site / SECOND / "changes" / "changes.json").read_text(encoding="utf-8"))
    assert (changes["from"]["version"], changes["to"]["version"]) == (FIRST, SECOND)
    assert "is the first edition" in (site / FIRST / CHANGES_PAGE).read_text(encoding="utf-8")


def test_an_archive_holds_what_a_repository_needs(archive: Path, tmp_path: Path):
    with zipfile.ZipFile(archive) as opened:
        names = {name.partition("/")[2] for name in opened.namelist()}
        assert {entry.date_time for entry in opened.infolist()} == {(2027, 3, 1, 0, 0, 0)}
        opened.extractall(tmp_path)
    wanted = ["html/index.html", "notebooks/chapters/deliveries.ipynb", "data/datapackage.json", "requirements.txt"]
    assert {*wanted, "ro-crate-metadata.json", "SHA256SUMS", "CITATION.cff", "changes.json"} <= names
    folder = tmp_path / f"companion-{SECOND}"
    assert check_sums(folder) == []
    notebook = json.loads((folder / "notebooks/chapters/deliveries.ipynb").read_text(encoding="utf-8"))
    outputs = [cell["outputs"] for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert len(outputs) == 4
    assert all(outputs)


def test_the_crate_describes_the_archive(archive: Path):
    with zipfile.ZipFile(archive) as opened:
        crate = json.loads(opened.read(f"companion-{SECOND}/ro-crate-metadata.json"))
        names = {name.partition("/")[2] for name in opened.namelist()}
    parts = {entity["@id"]: entity for entity in crate["@graph"]}
    root = parts["./"]
    assert parts["ro-crate-metadata.json"]["about"] == {"@id": "./"}
    assert (root["version"], root["datePublished"]) == (SECOND, "2027-03-01")
    assert all(root[property] for property in ("name", "description", "license", "author", "hasPart"))
    files = [id for id, entity in parts.items() if entity["@type"] == "File"]
    assert {f"data/{name}.csv" for name in ("claims", "uas_deliveries")} <= {*files}
    assert {*files} <= names
    for id, entity in parts.items():
        if entity["@type"] == "Dataset" and id != "./":
            assert any(name.startswith(id) for name in names), id


def test_the_site_can_be_composed_from_archives_alone(site: Path, tmp_path: Path):
    archives = tmp_path / "archives"
    archives.mkdir()
    for version in (FIRST, SECOND):
        shutil.copy(site / version / "downloads" / f"companion-{version}.zip", archives)
    compose(archives, tmp_path / "site", quiet)
    assert files_in(tmp_path / "site") == files_in(site)
    assert all((tmp_path / "site" / path).read_bytes() == (site / path).read_bytes() for path in files_in(site))
    compose(archives, tmp_path / "site", quiet)  # what is there already stays
    with pytest.raises(EditionError, match=r"no companion-<version>\.zip"):
        compose(tmp_path / "site", tmp_path / "other", quiet)


def test_a_damaged_archive_is_refused_and_leaves_nothing(archive: Path, tmp_path: Path):
    cut = tmp_path / archive.name
    cut.write_bytes(archive.read_bytes()[:-2000])
    with pytest.raises(ArchiveError, match="cannot be unpacked"):
        place(cut, tmp_path / "site")
    with zipfile.ZipFile(archive) as good, zipfile.ZipFile(cut, "w") as bad:
        for name in good.namelist():
            bad.writestr(name, good.read(name) + (b"x" if name.endswith("uas_deliveries.csv") else b""))
    with pytest.raises(EditionError, match=r"uas_deliveries\.csv was changed"):
        place(cut, tmp_path / "site")
    assert not (tmp_path / "site").exists()


def about(version: str = SECOND, **more: object) -> dict:
    said = {"version": version, "released": "2027-03-01", "title": "T", "citation": "C", "files": {}, "pages": []}
    return said | more


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "edition.json: "),
        ("[]", "edition.json: "),
        (json.dumps(about("next")), "edition.json, version: 'next' is not a version such as"),
        (json.dumps(about("9.0.0")), "its pages are of version 9.0.0, CITATION.cff of 0.2.0"),
        (json.dumps(about(pages=["../../x.html"])), "edition.json, pages, 0: '../../x.html' is no address below"),
        (json.dumps({"version": SECOND}), "edition.json, released: Field required"),
    ],
)
def test_an_edition_that_describes_itself_wrongly_is_refused_and_the_site_stays(
    content: str, message: str, archive: Path, site: Path, tmp_path: Path
):
    archives, folder, new = tmp_path / "archives", tmp_path / f"companion-{SECOND}", tmp_path / "site"
    shutil.unpack_archive(archive, tmp_path)
    (folder / "html" / "edition.json").write_text(content, encoding="utf-8")
    write_sums(folder)
    archives.mkdir()
    shutil.copy(site / FIRST / "downloads" / f"companion-{FIRST}.zip", archives)
    shutil.make_archive(str(archives / folder.name), "zip", tmp_path, folder.name)
    with pytest.raises(EditionError, match=re.escape(message)):
        compose(archives, new, quiet)
    assert {path.name for path in new.iterdir()} >= {FIRST, "index.html", "versions.json", "latest"}
    assert not (new / SECOND).exists()
    assert not (new / ".partial").exists()


def test_what_a_later_form_says_of_an_edition_is_left_out(tmp_path: Path):
    (tmp_path / "edition.json").write_text(json.dumps(about(mood="good")), encoding="utf-8")
    assert Edition.read(tmp_path).version == SECOND


def test_an_archive_that_leads_out_of_its_folder_is_neither_placed_nor_checked(archive: Path, tmp_path: Path):
    forged = tmp_path / archive.name
    shutil.copy(archive, forged)
    with zipfile.ZipFile(forged, "a") as opened:
        opened.writestr(f"companion-{SECOND}/../../x.txt", "x")
    for use in (lambda: place(forged, tmp_path / "site"), lambda: verify(str(forged), tmp_path / "site", quiet)):
        with pytest.raises(ArchiveError, match=rf"{archive.name}, '.*x\.txt': the name leads out of the folder"):
            use()
    assert [path.name for path in tmp_path.iterdir()] == [archive.name]


PREPARED = """
import shutil
from pathlib import Path
from companion.editions import freeze
from companion.editions.site import is_written

site, archive, record = Path({site!r}), Path({archive!r}), Path({record!r})

def reset():
    record.unlink(missing_ok=True)
    shutil.rmtree(site)
    shutil.copytree({before!r}, site)

def pack(book, changes, target, say):
    shutil.copyfile(archive, target)

def work():
    if (site / {version!r}).exists() and is_written(site):
        return  # the kill came when all was done; an edition is never replaced
    freeze.pack = pack
    freeze.freeze(Path.cwd(), site, lambda text: None)
"""


@pytest.mark.slow
def test_killed_at_random_moments_an_edition_can_be_made_again(site: Path, archive: Path, tmp_path: Path):
    """All but the build, which happens in a temporary folder: reading the commit, placing, and all that is beside."""
    book, before, new = tmp_path / "book", tmp_path / "before", tmp_path / "site"
    shutil.copytree(site.parent, book, ignore=shutil.ignore_patterns("_site", "_build"))
    shutil.copytree(site / FIRST, before / FIRST)
    write_site(before)
    shutil.copytree(before, new)
    record = book / RECORDS / f"{SECOND}.zip"
    paths = {"site": str(new), "archive": str(archive), "before": str(before), "record": str(record)}
    for what in kill_often(book, PREPARED.format(version=SECOND, **paths)):
        assert all(check_sums(path) == [] for path in new.glob("[0-9]*/")), "an edition is there whole or not at all"
        if what != "killed":
            assert files_in(new) == files_in(site)
            assert all((new / path).read_bytes() == (site / path).read_bytes() for path in files_in(site))
            assert read(zipfile.Path(record)).book.version == SECOND, "the next edition tells from it what changed"
            assert leftovers(new) == leftovers(record.parent) == []


@pytest.mark.slow
def test_a_command_that_was_killed_while_it_built_leaves_the_site_as_it_was(
    repository: Path, site: Path, tmp_path: Path
):
    new = tmp_path / "site"
    shutil.copytree(site / FIRST, new / FIRST)
    command = [sys.executable, "-m", "companion", "edition", "--site", str(new)]
    for number in range(2):
        with subprocess.Popen(command, cwd=repository, stdout=subprocess.DEVNULL, start_new_session=True) as process:
            time.sleep(random.Random(number).uniform(2, 8))
            os.killpg(process.pid, signal.SIGKILL)
        assert [path.name for path in new.iterdir()] == [FIRST]
    made = run(repository, "python", "-m", "companion", "edition", "--site", str(new))
    assert made.returncode == 0, made.stdout + made.stderr
    (repository / RECORDS / f"{SECOND}.zip").unlink()  # as it was, for other tests
    assert files_in(new) == files_in(site)
    assert all((new / path).read_bytes() == (site / path).read_bytes() for path in files_in(site))


def test_an_edition_is_never_replaced(site: Path, archive: Path, tmp_path: Path):
    other = tmp_path / "site"
    shutil.copytree(site / FIRST, other / SECOND)
    with pytest.raises(EditionError, match="never replaced"):
        place(archive, other)


def test_an_edition_is_refused_while_something_stands_against_it(repository: Path, site: Path, tmp_path: Path):
    with pytest.raises(EditionError, match=f"{SECOND} exists"):
        freeze(repository, site, quiet)
    copy = tmp_path / "book"
    shutil.copytree(repository, copy, ignore=shutil.ignore_patterns("_site", "_build"))
    (copy / "left.txt").write_text("", encoding="utf-8")
    with pytest.raises(EditionError, match=r"(?s)not committed:.*left\.txt"):
        freeze(copy, tmp_path / "none", quiet)
    (copy / "left.txt").unlink()
    edit(copy / "CITATION.cff", (f"version: {SECOND}", "version: 0.3.0"))
    git(copy, "commit", "--quiet", "--all", "--message=Third")
    with pytest.raises(EditionError, match=r"Write a section `## 0\.3\.0 \(2027-03-01\)`"):
        freeze(copy, tmp_path / "none", quiet)
    edit(copy / "CHANGELOG.md", (f"## {SECOND} (", f"## 0.3.0 (2027-03-01)\n\nMore.\n\n## {SECOND} ("))
    git(copy, "commit", "--quiet", "--all", "--message=Changelog")
    changed = tmp_path / "site"
    shutil.copytree(site, changed)
    (changed / FIRST / PAGE).write_bytes(b"other")
    with pytest.raises(EditionError, match=rf"(?s){FIRST} is not as it was frozen.*{PAGE} was changed"):
        freeze(copy, changed, quiet)
    assert not (changed / "0.3.0").exists()
    assert not (tmp_path / "none").exists()


@pytest.mark.slow
def test_outputs_that_were_not_recorded_stop_an_edition(repository: Path, tmp_path: Path):
    copy = tmp_path / "book"
    shutil.copytree(repository, copy, ignore=shutil.ignore_patterns("_site", "_build"))
    edit(copy / "data" / "uas_deliveries.csv", (OLD_ROW, OLD_ROW.replace("300,", "301,")))
    edit(copy / "CITATION.cff", (f"version: {SECOND}", "version: 0.3.0"))
    edit(copy / "CHANGELOG.md", (f"## {SECOND} (", f"## 0.3.0 (2027-03-01)\n\nMore.\n\n## {SECOND} ("))
    git(copy, "commit", "--quiet", "--all", "--message=Not recorded")
    with pytest.raises(EditionError, match=r"The recorded outputs of deliveries\.md are not those of the book"):
        freeze(copy, tmp_path / "site", quiet)
    assert not (tmp_path / "site").exists()


@pytest.mark.slow
def test_a_new_edition_follows_one_in_the_first_form(repository: Path, tmp_path: Path, browser: Browser):
    """The first edition, cut down to some tables and a chapter, is in the site as it was published."""
    frozen = ROOT / "tests" / "fixtures" / f"edition-{FIRST}"
    site = tmp_path / "site"
    downloads = site / FIRST / "downloads"
    downloads.mkdir(parents=True)
    downloads.joinpath(f"companion-{FIRST}.zip").touch()
    copy = shutil.copytree(repository, tmp_path / "book", ignore=shutil.ignore_patterns("_site", "_build"))
    keep(frozen, copy)
    git(copy, "commit", "--quiet", "--all", "--message=The first edition as it was")
    about = {"version": FIRST, "released": "2026-11-22", "title": "T", "citation": "C", "files": {}, "pages": []}
    (site / FIRST / "edition.json").write_text(json.dumps(about), encoding="utf-8")
    write_sums(site / FIRST)
    made = run(copy, "python", "-m", "companion", "edition", "--site", str(site))
    assert made.returncode == 0, made.stdout + made.stderr
    new = site / SECOND
    changes = json.loads((new / "changes" / "changes.json").read_text(encoding="utf-8"))
    assert (changes["from"]["version"], changes["to"]["version"]) == (FIRST, SECOND)
    came_and_went = {change["id"]: change["change"] for change in changes["exhibits"] + changes["claims"]}
    assert came_and_went["small-deliveries"] == "added"
    assert came_and_went["eoir-considerations-modes"] == came_and_went["C134"] == "removed"
    page, trouble = open_page(browser, (new / CHANGES_PAGE).as_uri())
    assert f"From version {FIRST} (2026-11-22)" in page.locator("article").inner_text()
    assert trouble == []
    page.context.close()


@pytest.fixture(scope="module")
def later(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The working copy some time after the editions were made: a template, a style and the library are others."""
    copy = tmp_path_factory.mktemp("later") / "book"
    shutil.copytree(repository, copy, ignore=shutil.ignore_patterns("_site", "_build", ".git"))
    edit(
        copy / "companion" / "book" / "templates" / "figure.html", ('class="exhibit-title"', 'class="exhibit-heading"')
    )
    edit(copy / "companion" / "book" / "templates" / "notebooks.txt", ("the notebooks of", "all notebooks of"))
    edit(copy / "companion" / "editions" / "crate.py", ("The book as PDF", "The whole book as PDF"))
    edit(copy / "companion" / "changes" / "compare.py", ('"from": _state(was)', '"since": _state(was)'))
    edit(copy / "companion" / "files" / "zips.py", ("0o100644", "0o100600"))
    return copy


@pytest.mark.slow
def test_an_edition_passes_its_check_when_the_library_has_changed(later: Path, site: Path):
    done = run(later, "python", "-m", "companion", "verify", SECOND, "--site", str(site))
    assert done.returncode == 0, done.stdout + done.stderr
    told, _, rest = done.stdout.partition(f"the code in companion-{SECOND}.zip builds this edition again")
    assert "Comparing the files" in told
    assert "Running the chapters" in rest, "it is said before anything runs"
    assert "every file is as it was frozen, and its sources give every file again" in rest
    assert "packed by another version" not in rest


def test_no_code_of_an_archive_runs_against_a_person_s_will(archive: Path, site: Path):
    asked = []
    with pytest.raises(EditionError, match=f"Nothing of {archive.name} was run"):
        verify(str(archive), site, quiet, lambda question: bool(asked.append(question)))
    assert asked == ["Run it?"]
    with pytest.raises(EditionError, match=r"There is no /.*/none/python\. Name the Python of an environment"):
        verify(str(archive), site, quiet, python=Path("none/python"))


COMMAND = """
import sys
print("arguments:", *sys.argv[1:])
"""
FUNCTIONS = """
def assemble(book, changes, folder, say):
    say(f"{book.name} {changes.read_text()}")
    folder.mkdir()

def write_zip(folder, target, book):
    target.write_text(folder.name)
"""


def test_the_edition_s_own_library_is_asked_for_its_archive(tmp_path: Path):
    library = tmp_path / "book" / "companion"
    library.mkdir(parents=True)
    (library / "__init__.py").touch()
    (library / "__main__.py").write_text(COMMAND, encoding="utf-8")
    said: list[str] = []
    target = tmp_path / "companion-1.zip"
    archive_again(library.parent, target, tmp_path / "changes.json", say=said.append)
    assert said == [f"arguments: assemble {target}"]


def test_an_edition_from_before_there_was_a_command_is_asked_in_its_own_way(tmp_path: Path):
    """Version 0.1.0 has no `assemble` on its command line, and the function in this place."""
    editions = tmp_path / "book" / "companion" / "editions"
    editions.mkdir(parents=True)
    for folder in (editions.parent, editions):
        (folder / "__init__.py").touch()
    (editions.parent / "__main__.py").write_text("raise SystemExit(2)", encoding="utf-8")
    (editions / "archive.py").write_text(FUNCTIONS, encoding="utf-8")
    changes, target = tmp_path / "changes.json", tmp_path / "companion-0.1.0.zip"
    changes.write_text("none", encoding="utf-8")
    said: list[str] = []
    archive_again(tmp_path / "book", target, changes, say=said.append)
    assert said == ["book none"]
    assert target.read_text(encoding="utf-8") == "companion-0.1.0"
    (editions / "archive.py").write_text("import gone_since", encoding="utf-8")
    with pytest.raises(EditionError, match=r"(?s)own code stopped: .*'gone_since'\n.*requirements\.txt.*--python"):
        archive_again(tmp_path / "book", target, changes, say=said.append)


def test_one_changed_byte_fails_the_check(site: Path, tmp_path: Path):
    copy = tmp_path / SECOND
    shutil.copytree(site / SECOND, copy)
    page = copy / PAGE
    page.write_bytes(page.read_bytes().replace(b"Exhibit 1", b"Exhibit 2", 1))
    with pytest.raises(EditionError, match=f"{PAGE} was changed"):
        verify(str(copy), site, quiet)
    write_sums(copy)  # a forger who mends the checksums is found by the archive
    with pytest.raises(EditionError, match=f"{PAGE} comes out different"):
        verify(str(copy), site, quiet)


@pytest.mark.slow
def test_a_forged_archive_fails_the_check(later: Path, archive: Path, tmp_path: Path):
    """All checksums agree, and still the sources give another page."""
    shutil.unpack_archive(archive, tmp_path)
    folder = tmp_path / f"companion-{SECOND}"
    edit(folder / "html" / PAGE, ("9,", "8,"))
    write_sums(folder)
    forged = tmp_path / f"companion-{SECOND}.zip"
    shutil.make_archive(str(forged.with_suffix("")), "zip", tmp_path, folder.name)
    done = run(later, "python", "-m", "companion", "verify", str(forged))
    assert done.returncode == 1
    assert f"html/{PAGE} comes out different" in done.stderr


def test_no_name_ends_the_script_that_leads_on(tmp_path: Path):
    evil = "\"</script><!--<script>'.html"
    about = {"version": "1", "released": "2026-01-01", "title": evil, "citation": evil, "files": {}, "pages": [evil]}
    page = tmp_path / "1" / "edition.json"
    page.parent.mkdir()
    page.write_text(json.dumps(about), encoding="utf-8")
    forward = _forward(evil, Edition.read(page.parent))
    assert "<!--" not in forward
    (script,) = re.findall(r"<script>(.*?)</script>", forward)
    address = re.fullmatch(r"location\.replace\((.*) \+ location\.search \+ location\.hash\);", script)
    assert json.loads(address[1]) == evil


def numbers(**parts: dict) -> Numbers:
    book = dataclasses.replace(metadata(ROOT), version="1", date_released=date(2026, 1, 1))
    return Numbers(book, **{"tables": {}, "exhibits": {}, "claims": {}} | parts)


def table(**columns: list[str]) -> dict[str, Table]:
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return {"t": Table("A table", ["key"], list(columns), rows)}


def an_exhibit(**change: object) -> dict[str, Exhibit]:
    fields = [{"name": "who", "title": "Who", "type": "string"}, {"name": "n", "title": "Units", "type": "number"}]
    about = {"title": "Old", "subtitle": "s", "alt": "a", "status": "own", "reproduces": None, "note": ""}
    rows = [{"who": "A|B", "n": 2.0}, {"who": "A|B", "n": 5.0}]
    rest = {"sources": [], "tables": [], "fields": fields, "rows": rows, "spec": None}
    return {"e": Exhibit(id="e", **about | rest | change)}


def test_rows_and_columns_that_come_and_go_are_told_from_values_that_change():
    was = numbers(tables=table(key=["a", "b", "c"], n=["1", "2", ""], old=["", "", ""]))
    now = numbers(tables=table(key=["c", "b", "d"], n=["", "3", "4"], new=["", "", ""]))
    (change,) = compare(was, now)["tables"]
    assert change == {
        "id": "t",
        "title": "A table",
        "change": "changed",
        "rows_added": ["d"],
        "rows_removed": ["a"],
        "columns_added": ["new"],
        "columns_removed": ["old"],
        "values": [{"row": "b", "column": "n", "was": "2", "now": "3"}],
    }
    assert "| b | n | 2 | 3 | +1 (+50.0%) |" in as_markdown(compare(was, now))


def test_an_exhibit_that_another_absorbed_is_told_with_its_heir():
    gone = an_exhibit() | {"old": an_exhibit()["e"]}
    changes = compare(numbers(exhibits=gone), numbers(exhibits=an_exhibit(absorbs=["old"])))
    assert changes["exhibits"] == [{"id": "old", "title": "Old", "change": "removed", "into": "e"}]
    assert "- `old`: Old (absorbed into `e`)" in as_markdown(changes)
    assert "exhibit,old,removed,,,,e\n" in as_csv(changes)


def test_the_table_of_changes_holds_no_formula():
    was = numbers(tables=table(key=["=a", "b"], n=["@c", "-2"]))
    now = numbers(tables=table(key=["=a", "b", "+d"], n=["-x", "-3.5", ""]))
    assert as_csv(compare(was, now)).splitlines()[1:] == [
        "table,t,rows added,'+d,,,",
        "table,t,changed,'=a,n,'@c,'-x",
        "table,t,changed,b,n,-2,-3.5",
    ]


def test_rows_with_the_same_labels_are_paired_in_order():
    rows = [{"who": "A|B", "n": 2.0}, {"who": "A|B", "n": 4.0}]
    changes = compare(numbers(exhibits=an_exhibit()), numbers(exhibits=an_exhibit(rows=rows, title="New")))
    (change,) = changes["exhibits"]
    assert change["title_was"] == "Old"
    assert change["values"] == [{"row": "A|B, no. 2", "column": "Units", "was": 5.0, "now": 4.0}]
    assert "| A/B, no. 2 | Units | 5 | 4 | −1 (−20.0%) |" in as_markdown(changes)


def test_nothing_changed_says_so_and_a_first_edition_too():
    same = compare(numbers(exhibits=an_exhibit()), numbers(exhibits=an_exhibit(rows=an_exhibit()["e"].rows)))
    assert "no number changed" in as_markdown(same)
    assert as_csv(same).count("\n") == 1
    assert "is the first edition" in as_markdown(compare(None, numbers()))


def test_what_is_removed_is_named_and_not_linked(repository: Path):
    claims: dict[str, Claim] = read(repository).claims
    changes = compare(numbers(claims=claims), numbers())
    assert [(change["id"], change["change"]) for change in changes["claims"]] == [
        ("C074", "removed"),
        ("C075", "removed"),
    ]
    assert "Removed (2)" in as_markdown(changes)


def test_a_state_can_be_named_in_every_way(repository: Path, site: Path, archive: Path, tmp_path: Path):
    for name in (str(repository), "second", "HEAD", SECOND, str(archive), str(site / SECOND)):
        assert read(find(name, repository, site)).book.version == SECOND, name
    with pytest.raises(StateError, match="There is no 'nowhere'"):
        find("nowhere", repository, site)
    with pytest.raises(StateError, match="is no copy of the book"):
        find(str(tmp_path), repository, site)


def test_a_record_says_what_the_copy_says_that_it_was_kept_of(repository: Path, tmp_path: Path):
    """Without pictures and code; and the same comparison follows from both."""
    book = tmp_path / "book"
    shutil.copytree(repository, book, ignore=shutil.ignore_patterns("_site", "_build", ".git"))
    record = keep(book, book)
    assert zipfile.is_zipfile(record)
    one, other = read(book), read(zipfile.Path(record))
    changes = compare(one, other)
    assert (changes["tables"], changes["exhibits"], changes["claims"]) == ([], [], [])
    assert any(exhibit.spec for exhibit in one.exhibits.values())
    assert not any((exhibit.spec or {}).get("mark") for exhibit in other.exhibits.values())
    assert record.stat().st_size < sum(path.stat().st_size for path in (book / "data").glob("*.csv"))
    assert str(latest(book)) == str(zipfile.Path(record))
    assert str(latest(book, before=SECOND)) == str(zipfile.Path(record.with_name(f"{FIRST}.zip")))
    assert latest(book, before=FIRST) is None


def test_a_book_just_released_says_what_its_version_changed(repository: Path, tmp_path: Path):
    book = shutil.copytree(repository, tmp_path / "book", ignore=shutil.ignore_patterns("_site", "_build", ".git"))
    (present,) = since(book)  # no record of this version yet: since the one before
    assert not is_empty(present)
    keep(book, book)
    nothing, what_it_changed = since(book)
    assert (nothing["from"], is_empty(nothing)) == (nothing["to"], True)
    assert what_it_changed == present
    edit(book / "data" / "uas_deliveries.csv", (OLD_ROW, OLD_ROW.replace("300,", "301,")))
    assert [[table["id"] for table in changes["tables"]] for changes in since(book)] == [["uas_deliveries"]]


def test_every_released_version_has_a_record():
    """The next edition and the working copy tell from it what changed."""
    released = re.findall(r"^## (\d[\w.]*) \(", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    present = metadata(ROOT).version
    missing = [name for name in released if name != present and not (ROOT / RECORDS / f"{name}.zip").is_file()]
    assert released
    assert missing == [], "make it from the version's tag or archive: companion.changes.released.keep"
    for record in (ROOT / RECORDS).iterdir():
        assert read(zipfile.Path(record)).book.version == record.stem
