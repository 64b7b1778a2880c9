"""Labels from elsewhere: whose they are, and everything for which they are refused, told by name and place."""

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from models.errors import LabelError
from station.labels.formats.archive import Archive
from station.labels.formats.finding import Finder
from station.labels.formats.pictures import Pictures
from station.labels.formats.registry import FORMATS
from station.labels.formats.taking_in import Terms, labels_of, unsaid
from station.labels.label import Box, InspectionSubject, Label, ScanSubject, Source, WholePart
from tests.unit.label_files import AT, TERMS, archive, make_scan, written

ID = "01KT0000000000000000000001"
BOX = "file,class,level,line,column,height,width\n"


@pytest.fixture
def taken(tmp_path: Path) -> Callable[..., list[Label]]:
    """Takes the text of a CSV in."""

    def take(text: str, terms: Terms = TERMS, archived: Archive | None = None, scans: str = "scans") -> list[Label]:
        written(tmp_path, {"a.csv": text})
        finder = Finder(Pictures(tmp_path / scans if scans else None), archived or archive(tmp_path))
        return labels_of(FORMATS["csv"].read(tmp_path / "a.csv").entries, finder, terms)

    for number in (1, 2, 3):
        make_scan(tmp_path / "scans" / "day" / f"{number}.png", number)
    return take


def sha256(tmp_path: Path, name: str) -> str:
    return Pictures(None).look(tmp_path / "scans" / name).sha256


def refusal(take: Callable[[], object]) -> str:
    with pytest.raises(LabelError) as raised:
        take()
    assert raised.value.code == "label.import_refused"
    return raised.value.detail


def test_a_scan_is_known_by_its_content_whatever_its_name(taken: Callable[..., list[Label]], tmp_path: Path) -> None:
    one = sha256(tmp_path, "day/1.png")
    labels = taken(f"file,class\n{one}.jpg,pit\n")
    assert labels == [Label(ScanSubject(one), WholePart(), "pit", "anna", AT, Source.IMPORT)]
    (tmp_path / "scans" / "day" / "1.png").rename(tmp_path / "scans" / "renamed.png")
    assert taken(f"file,scan_sha256,class\nday/1.png,{one},pit\n") == labels


def test_a_scan_that_the_records_know_is_its_inspection_s(taken: Callable[..., list[Label]], tmp_path: Path) -> None:
    one = sha256(tmp_path, "day/1.png")
    archived = archive(tmp_path, (ID, one, "scans/day/1.png"), ("other", "", ""))
    for text in ("file,class\n1.png,pit\n", f"scan_sha256,class\n{one},pit\n", f"inspection_id,class\n{ID},pit\n"):
        assert [label.subject for label in taken(text, archived=archived)] == [InspectionSubject(ID)]
    boxed = f"inspection_id,class,level,line,column,height,width\n{ID},pit,box,1,2,3,4\n"
    assert taken(boxed, archived=archived, scans="")[0].region == Box(1, 2, 3, 4)
    make_scan(tmp_path / "scans" / "day" / "1.png", 99)
    detail = refusal(lambda: taken(boxed, archived=archived, scans=""))
    assert "1.png is not the scan that was archived: its content is another" in detail


def test_a_scan_of_several_inspections_is_none_s(taken: Callable[..., list[Label]], tmp_path: Path) -> None:
    one = sha256(tmp_path, "day/1.png")
    archived = archive(tmp_path, (ID, one, "scans/day/1.png"), ("other", one, "scans/day/1.png"))
    assert [label.subject for label in taken("file,class\n1.png,pit\n", archived=archived)] == [ScanSubject(one)]
    labels = taken(f"inspection_id,file,class\n{ID},1.png,pit\n", archived=archived)
    assert [label.subject for label in labels] == [InspectionSubject(ID)]


def test_a_hash_alone_is_enough_where_no_place_must_be_within_the_scan(taken: Callable[..., list[Label]]) -> None:
    head = "scan_sha256,class,level,patch,lines_per_turn,lines_per_block,patch_px,patches_per_strip,mask_sha256\n"
    rows = (f"{'ab' * 32},pit,part,,,,,,\n", f"{'ab' * 32},pit,patch,3,64,32,16,2,\n")
    assert len(taken(head + "".join(rows) + f"{'ab' * 32},pit,mask,,,,,,{'cd' * 32}\n", scans="")) == 3


def test_foreign_names_of_classes_are_mapped(taken: Callable[..., list[Label]]) -> None:
    terms = replace(TERMS, names={"Lunker": "pit", "n. beurteilbar": "cannot_be_judged"})
    labels = taken("file,class\n1.png,Lunker\n2.png,n. beurteilbar\n3.png,scratch\n", terms)
    assert [label.class_name for label in labels] == ["pit", "cannot_be_judged", "scratch"]


def test_what_the_file_does_not_tell_is_the_import_s(taken: Callable[..., list[Label]]) -> None:
    terms = replace(TERMS, who="bert", source=Source.GOLDEN, note="of the audit")
    labels = taken("file,class,who,note,source\n1.png,pit,,,\n2.png,pit,carl,by hand,audit\n", terms)
    assert [(label.who, label.note, label.source) for label in labels] == [
        ("bert", "of the audit", Source.GOLDEN),
        ("carl", "by hand", Source.AUDIT),
    ]


def test_the_same_twice_is_once_enough_and_two_people_may_differ(taken: Callable[..., list[Label]]) -> None:
    text = "file,class,who\n1.png,pit,anna\n1.png,pit,anna\n1.png,scratch,bert\n"
    assert [(label.class_name, label.who) for label in taken(text)] == [("pit", "anna"), ("scratch", "bert")]


REFUSED = [
    (
        "file,class,at\n1.png,pit,2026-05-01T06:00:01Z\n",
        "line 2: it bears a later time than now, 2026-05-01T06:00:01.000Z",
    ),
    ("file,class\n4.png,pit\n", "line 2: the picture 4.png is not there"),
    ("file,class\n../../etc/passwd,pit\n", "line 2: the picture ../../etc/passwd is not there"),
    ("file,class\n1.png,Kratzer\n2.png,Kratzer\n", "line 2: there is no class 'Kratzer', there are defect_free, pit"),
    ("file,class\n1.png,withdrawn\n", "line 2: there is no class 'withdrawn'"),
    ("file,class\n1.png,pit\n1.png,scratch\n", "line 3: 1.png "),
    ("file,class\n1.png,pit\nday/1.png,scratch\n", "part: scratch, but pit at "),
    (BOX + "1.png,pit,box,60,0,5,5\n", "line 2: the box from column 0, line 60 to column 5, line 65 is not within"),
    (BOX + "1.png,pit,box,0,44,5,5\n", "is not within the picture of 64 lines of 48 px"),
    (BOX + "1.png,pit,box,1,1,5,5\n1.png,scratch,box,1,1,5,5\n", "box 1,1,5,5: scratch, but pit at "),
    (f"scan_sha256,{BOX.removeprefix('file,')}{'ab' * 32},pit,box,0,0,5,5\n", "is not there, so that nobody knows"),
    (f"file,scan_sha256,class\n1.png,{'ab' * 32},pit\n", "1.png is not the scan that was labelled: its content is"),
    (f"inspection_id,class\n{ID},pit\n", f"line 2: the records know no inspection {ID}"),
    ("scan_sha256,class\nABCD,pit\n", "line 2: 'ABCD' is no SHA-256"),
    ("file,class,who\n1.png,pit,\x07\n", "line 2: '\\x07' is no name of a person"),
    (
        "file,class,level,patch,lines_per_turn,lines_per_block,patch_px,patches_per_strip\n1.png,pit,patch,3,96,48,16,2\n",
        "line 2: the scan has 64 lines, the patch is one of 96 lines a turn",
    ),
]


@pytest.mark.parametrize(("text", "told"), REFUSED, ids=[one[1] for one in REFUSED])
def test_what_is_refused_is_told_with_its_place(text: str, told: str, taken: Callable[..., list[Label]]) -> None:
    assert told in refusal(lambda: taken(text))


def test_everything_that_is_wrong_is_told_the_first_of_many_by_name(taken: Callable[..., list[Label]]) -> None:
    lines = [f"{number}.png,pit" for number in range(10, 50)]
    detail = refusal(lambda: taken("\n".join(["file,class", "1.png,what", *lines])))
    assert detail.splitlines()[0].endswith("--map says which it is")
    assert len(detail.splitlines()) == 21
    assert detail.splitlines()[-1] == "and 21 more"


def test_a_name_that_is_mapped_in_vain_is_told(taken: Callable[..., list[Label]]) -> None:
    detail = refusal(lambda: taken("file,class\n1.png,pit\n", replace(TERMS, names={"Kratzr": "scratch"})))
    assert detail == "--map Kratzr=scratch: nothing is of a class 'Kratzr'"


def test_a_name_that_two_scans_have_is_refused_unless_a_folder_or_the_hash_tells(
    taken: Callable[..., list[Label]], tmp_path: Path
) -> None:
    other = make_scan(tmp_path / "scans" / "night" / "1.png", 9)
    assert "the picture 1.png may be" in refusal(lambda: taken("file,class\n1.png,pit\n"))
    for text in ("file,class\nx/night/1.png,pit\n", f"file,scan_sha256,class\n1.png,{other},pit\n"):
        assert [label.subject for label in taken(text)] == [ScanSubject(other)]


@pytest.mark.parametrize("name", ["1.png", "1", "./1.png"])
def test_the_way_from_the_folder_itself_means_that_scan(
    name: str, taken: Callable[..., list[Label]], tmp_path: Path
) -> None:
    straight = make_scan(tmp_path / "scans" / "1.png", 9)
    assert [label.subject for label in taken(f"file,class\n{name},pit\n")] == [ScanSubject(straight)]


@pytest.mark.parametrize(
    "name", ["images/0d1b1c5f-1.png", "0d1b1c5f-1", "/data/local-files/?d=1.png", "C:\\day\\1.png"]
)
def test_what_another_program_puts_before_a_name_may_be_missing(
    name: str, taken: Callable[..., list[Label]], tmp_path: Path
) -> None:
    one = ScanSubject(sha256(tmp_path, "day/1.png"))
    assert [label.subject for label in taken(f"file,class\n{name},pit\n")] == [one]
    make_scan(tmp_path / "scans" / "0d1b1c5f-1.png", 7)
    assert ([label.subject for label in taken(f"file,class\n{name},pit\n")] == [one]) == ("0d1b" not in name)


def test_a_scan_that_is_not_whole_is_refused(taken: Callable[..., list[Label]], tmp_path: Path) -> None:
    place = tmp_path / "scans" / "day" / "1.png"
    place.write_bytes(place.read_bytes()[:-20])
    assert "1.png: the file is cut off" in refusal(lambda: taken("file,class\n1.png,pit\n"))


@pytest.mark.parametrize("label", ['<box label="pit" xtl="1" ytl="1" xbr="2" ybr="2"/>', '<tag label="pit"/>'])
def test_a_picture_of_another_size_is_refused(label: str, taken: Callable[..., list[Label]], tmp_path: Path) -> None:
    image = f'<image name="1.png" width="640" height="480">{label}</image>'
    written(tmp_path, {"a.xml": f"<annotations><version>1.1</version>{image}</annotations>"})
    found = FORMATS["cvat"].read(tmp_path / "a.xml")
    finder = Finder(Pictures(tmp_path / "scans"), archive(tmp_path))
    assert "labels are of a picture of 480 lines of 640 px" in refusal(lambda: labels_of(found.entries, finder, TERMS))


def test_a_link_that_leads_nowhere_and_what_is_no_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "sorted" / "pit").mkdir(parents=True)
    (tmp_path / "sorted" / "pit" / "1.png").symlink_to(tmp_path / "gone.png")
    os.mkfifo(tmp_path / "sorted" / "pit" / "2.png")
    finder = Finder(Pictures(None), archive(tmp_path))
    detail = refusal(lambda: labels_of(FORMATS["class-folders"].read(tmp_path / "sorted").entries, finder, TERMS))
    assert "1.png: it cannot be read: No such file" in detail
    assert "2.png: it is no file" in detail


def test_a_scan_of_another_inspection_is_refused(taken: Callable[..., list[Label]], tmp_path: Path) -> None:
    archived = archive(tmp_path, (ID, sha256(tmp_path, "day/1.png"), "scans/day/1.png"))
    text = f"inspection_id,file,class\n{ID},2.png,pit\n"
    assert "is not that of the inspection" in refusal(lambda: taken(text, archived=archived))


def test_the_same_file_taken_in_twice_is_taken_once() -> None:
    subject = ScanSubject("ab" * 32)
    before = Label(subject, WholePart(), "pit", "anna", AT - timedelta(days=1))
    again, told = replace(before, at=AT), replace(before, at=AT + timedelta(days=1))
    other = replace(again, class_name="scratch")
    assert unsaid([again, told, other], [before], TERMS) == [told, other]
    withdrawn = replace(before, class_name="withdrawn", at=AT - timedelta(hours=1))
    assert unsaid([again], [before, withdrawn], TERMS) == [again]
