# SPDX-License-Identifier: BSD-2-Clause
"""Pascal VOC's XML files as a source."""

import random
from xml.etree import ElementTree

import pytest

import pcr
from images import encode, picture

HEAD = "<annotation><filename>{}</filename><size><width>60</width><height>40</height></size>"


def thing(name, *corners, more=""):
    box = "".join(f"<{corner}>{value}</{corner}>" for corner, value
                  in zip(("xmin", "ymin", "xmax", "ymax"), corners))
    return f"<object><name>{name}</name>{more}<bndbox>{box}</bndbox></object>"


@pytest.fixture
def voc(tmp_path):
    (tmp_path / "xml").mkdir()
    (tmp_path / "jpeg").mkdir()
    things = {"a": thing("dog", 1, 1, 60, 40, more="<difficult>1</difficult>") +
              thing("cat", 11, 5.5, 20, 30, more="<truncated>1</truncated>"), "b": "", "c":
              thing("dog", 0, 0, 60, 40)}
    for number, (name, of) in enumerate(things.items()):
        (tmp_path / "jpeg" / f"{name}.jpg").write_bytes(encode(picture(number, 60, 40), "JPEG"))
        write(tmp_path, name, HEAD.format(f"{name}.jpg") + of)
    return tmp_path


def write(folder, name, text):
    (folder / "xml" / f"{name}.xml").write_text(text + "</annotation>")


def convert(folder, **options):
    return pcr.convert(folder / "jpeg", folder / "d", annotations=folder / "xml", shuffle=False,
                       **options)


def test_boxes(voc):
    report = convert(voc)
    assert report.progress.samples_done == 3 and not report.left_out
    with pcr.open(voc / "d") as ds:
        assert ds.columns == {"box_classes": "string[]", "box_difficult": "int64[]",
                              "box_truncated": "int64[]", "boxes": "float64[][4]"}
        assert [s.key for s in ds] == ["a.jpg", "b.jpg", "c.jpg"]
        assert ds[0].attributes == {
            "boxes": [[0, 0, 60, 40], [10, 4.5, 20, 30]], "box_classes": ["dog", "cat"],
            "box_difficult": [1, 0], "box_truncated": [0, 1]}
        assert ds[1].attributes["boxes"] == [] and ds[2].attributes["boxes"] == [[-1, -1, 60, 40]]
        with pcr.Loader(ds, size=(20, 30), transform="stretch", shuffle=False,
                        boxes="boxes") as loader:
            boxes = next(iter(loader)).boxes
        assert boxes[2].tolist() == [[0, 0, 30, 20]] and boxes[0][1].tolist() == [5, 2.25, 10, 15]


def test_lists_and_the_first_pixel(voc):
    (voc / "train.txt").write_text("c 1\n\na -1\n")
    (voc / "val.txt").write_bytes(b"  b\r\n")
    convert(voc, lists=[voc / "train.txt", voc / "val.txt"], zero_based=True)
    with pcr.open(voc / "d", split="train") as ds:
        assert [s.key for s in ds] == ["c.jpg", "a.jpg"]
        assert ds[0].attributes["boxes"] == [[0, 0, 60, 40]]
    (voc / "val.txt").write_text("b\nnone\n../a\n")
    with pytest.raises(pcr.NotFoundError, match="none.xml"):
        convert(voc, lists={"mine": voc / "val.txt"})
    report = pcr.convert(voc / "jpeg", voc / "e", annotations=voc / "xml", on_bad="skip",
                         lists={"mine": voc / "val.txt"})
    assert [what for _, what in report.left_out] == [
        "it cannot be opened", "'../a.xml' is no file's name below the folder"]
    with pcr.open(voc / "e") as ds:
        assert list(ds.splits) == ["mine"] and len(ds) == 1


@pytest.mark.parametrize("of,message", [
    (thing("", 1, 1, 2, 2), "object 1: no name"), (thing("x", 1, 1, 2), "no bndbox of four"),
    (thing("x", 1, 1, 2, "nan"), "no bndbox of four"), (thing("x", 9, 1, 2, 2), "negative size"),
    (thing("x", 1, 1, 2, 42), "outside of its image of 60 x 40"),
    (thing("x", 1, 1, 2, 4, more="<difficult>?</difficult>"), "0 or 1")])
def test_objects_that_cannot_be_right(voc, of, message):
    write(voc, "b", HEAD.format("b.jpg") + thing("dog", 1, 1, 5, 5) + of)
    offset = (voc / "xml" / "b.xml").read_text().rindex("<object>")
    with pytest.raises(pcr.CorruptError, match=f"b.xml, byte {offset}: object 1: .*"
                       f"{message.rsplit(': ', maxsplit=1)[-1]}"):
        convert(voc)
    (where, _), = convert(voc, on_bad="skip").left_out
    assert where.endswith(f"b.xml: byte {offset}")
    with pcr.open(voc / "d") as ds:
        assert ds[1].attributes["box_classes"] == ["dog"]


BOMB = ("<!DOCTYPE annotation [<!ENTITY a 'aaaaaaaaaa'>" + "".join(
    f"<!ENTITY {chr(98 + i)} '{f'&{chr(97 + i)};' * 10}'>" for i in range(9)) + "]>")


@pytest.mark.parametrize("text,message", [
    (BOMB + HEAD.format("&j;"), "it has a document type"),
    ("<!DOCTYPE annotation SYSTEM 'file:///etc/passwd'>" + HEAD.format("b.jpg"), "document type"),
    ("", "expected an element's name"), ("<a>", "closes another"), (HEAD.format(""), "no filename"),
    (HEAD.format("b.jpg") + "<", "an element's name"), (HEAD.format("&b;"), "an entity"),
    ("<?xml version='1.0' encoding='latin-1'?>" + HEAD.format("b.jpg"), "not UTF-8"),
    ("<a>" * 70, "64 deep"), (HEAD.format("&#0;"), "no character"),
    (HEAD.format("b.jpg") + "\x01", "not a character"), (HEAD.format("b.jpg") + "]]>", "in a text"),
    ("x" + HEAD.format("b.jpg"), "expected an element"), ("<a b='<'/>", "< in an attribute"),
    ("<a b/>", "without a value"), ("<a b=c/>", "without quotes"),
    ("<!-- a -- b --><a/>", "-- in a"),
    ("<?xml-x?><?xml ?><a/>", "a processing instruction")])
def test_no_such_file(voc, text, message):
    write(voc, "b", text)
    with pytest.raises(pcr.CorruptError, match=f"b.xml, byte [0-9]+: not an annotation.*{message}"):
        convert(voc)
    (where, _), = convert(voc, on_bad="skip", dry_run=True).left_out
    assert "b.xml: byte " in where


def test_xml(voc):
    """All of XML that has a meaning without a document type."""
    (voc / "xml" / "b.xml").write_bytes("""\ufeff<?xml version="1.0" encoding='UTF-8' ?>
        <!-- <a> --><?a-b <c>?>
        <annotation a = "1>2" b='&lt;"'><!-- <b> --><!----><size/><filename >\r\nb.jpg\t</filename
        ><segmented/><object><part><name>no</name></part><name>a &amp; b&#33;&#x1F600;<![CDATA[<&>]]
        ><!-- not this -->\u00e9</name><bndbox><xmin> 1 </xmin><ymin>1</ymin><xmax>3e0</xmax>
        <ymax>4.5</ymax></bndbox></object>text</annotation><!-- --> <?c?>
        """.replace("]]\n        >", "]]>").encode())
    convert(voc)
    with pcr.open(voc / "d") as ds:
        assert ds[1].attributes == {
            "boxes": [[0, 0, 3, 4.5]], "box_difficult": [0], "box_truncated": [0],
            "box_classes": ["a & b!\U0001f600<&>\u00e9"]}


def test_changed_files(voc):
    """What is read of changed XML is what Python's parser reads of it, or an error."""
    draw = random.Random(20)
    (voc / "list.txt").write_text("b\n")
    text = (HEAD.format("b.jpg") + thing("d&amp;g", 1, 1, 60, 40) + "<!-- c --><e f='g'/>" +
            thing("<![CDATA[c]]>", 11, 5.5, 20, 30) + "</annotation>").encode()
    read = 0
    for number in range(400):
        data = bytearray(text)
        at = draw.randrange(len(data))
        data[at:at + draw.randint(0, 1)] = draw.choice(
            [b"", b" ", b"\n", b"<!---->", b"\xc3\xa9", b"<", b">", b"&", b"/", b"!", b"'",
             b"\xc3", b"x", b"0", b"1", b"<a/>", b"<a>", b"</name>", b"&#65;"])
        (voc / "xml" / "b.xml").write_bytes(data)
        where = voc / f"d{number}"
        try:
            report = pcr.convert(voc / "jpeg", where, annotations=voc / "xml", on_bad="skip",
                                 lists=voc / "list.txt")
        except (pcr.InvalidError, pcr.CorruptError):  # no image is left
            continue
        if report.left_out or report.bad:
            continue
        read += 1
        root = ElementTree.fromstring(bytes(data))
        with pcr.open(where) as ds:
            assert ds[0].attributes["box_classes"] == [
                name.strip() for name in (o.findtext("name") for o in root.findall("object"))]
    assert read > 20, read


def test_files_of_images(voc):
    write(voc, "b", HEAD.format("../jpeg/b.jpg"))
    with pytest.raises(pcr.InvalidError, match="below the images' folder"):
        convert(voc)
    write(voc, "b", HEAD.format("none.jpg"))
    with pytest.raises(pcr.NotFoundError, match="b.xml: .*none.jpg"):
        convert(voc)
    assert len(convert(voc, on_bad="skip").bad) == 1
    with pytest.raises(pcr.InvalidError, match="annotations"):
        convert(voc, max_side=10)
    for how in ({"segmentations": True}, {"format": "coco"}, {"lists": "a.txt", "format": "coco"}):
        with pytest.raises(pcr.InvalidError):
            convert(voc, **how)
    with pytest.raises(pcr.InvalidError, match="only for annotations"):
        pcr.convert(voc / "jpeg", voc / "e", lists="a.txt")


def test_a_list_that_is_no_text(voc):
    """Nothing of it is passed over in silence."""
    (voc / "list.txt").write_bytes(b"a\0\nb\n")
    with pytest.raises(pcr.FormatError, match="list.txt, byte 1: a zero byte"):
        convert(voc, lists=voc / "list.txt")
