"""XMP packets: orientation and size tags, and where a picture comes from, changed in place.

A packet is RDF in XML. It is edited as text, so that whatever else is in it stays as it was written.
"""

import re
import struct
from collections.abc import Iterable
from hashlib import md5
from html import escape

DIGITAL_SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
"""What IPTC calls a photograph that a trained model added to."""

LARGEST_PACKET = 65502
"""Bytes of XMP that fit into one segment of a JPEG."""

_EXTENSION = b"http://ns.adobe.com/xmp/extension/\0"
_NOTE = (
    b'<rdf:Description rdf:about="" xmlns:xmpNote="http://ns.adobe.com/xmp/note/"'
    b' xmpNote:HasExtendedXMP="%s"/>'
)
_LARGEST_PART = 65000
_LARGEST_EXTENDED = 1 << 24
_IPTC_EXTENSION = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
_END = b"</rdf:RDF>"
_EMPTY = (
    b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>'
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
)


def upright_xmp(xmp: bytes) -> bytes:
    """The XMP packet with orientation 1."""
    return _replaced(xmp, b"tiff:Orientation", 1)


def resized_xmp(xmp: bytes, width: int, height: int) -> bytes:
    """The XMP packet with the size tags that it has set to this size."""
    for name, side in ((b"Width", width), (b"Length", height)):
        xmp = _replaced(xmp, b"tiff:Image" + name, side)
    for name, side in ((b"X", width), (b"Y", height)):
        xmp = _replaced(xmp, b"exif:Pixel" + name + b"Dimension", side)
    return xmp


def _replaced(xmp: bytes, name: bytes, value: int) -> bytes:
    """Set a whole number that stands as attribute (``name="1"``) or as element (``<name>1<``)."""
    return re.sub(rb"(%s(?:\s*=\s*[\"']|>)\s*)\d+" % name, rb"\g<1>%d" % value, xmp)


def with_provenance(xmp: bytes | None, system: str, version: str) -> bytes:
    """The packet, or a new one, that says that and with what a trained model worked on the picture.

    Args:
        xmp: the packet so far; one that is no XMP in UTF-8 stays as it is.
        system: what worked on it.
        version: of that.

    Source:
        IPTC Photo Metadata Standard 2025.1: Digital Source Type, AI System Used, AI System Version Used.
    """
    facts = {
        "DigitalSourceType": DIGITAL_SOURCE_TYPE,
        "AISystemUsed": system,
        "AISystemVersionUsed": version,
    }
    packet = xmp or _EMPTY
    for name in facts:
        packet = _without(packet, name.encode())
    about = re.search(rb"rdf:about\s*=\s*([\"'][^\"'<>]*[\"'])", packet)
    lines = "".join(
        f"<Iptc4xmpExt:{name}>{escape(fact)}</Iptc4xmpExt:{name}>" for name, fact in facts.items()
    )
    return with_description(
        packet,
        b'<rdf:Description rdf:about=%s xmlns:Iptc4xmpExt="%s">%s</rdf:Description>'
        % (about[1] if about else b'""', _IPTC_EXTENSION.encode(), lines.encode()),
    )


def is_restored(xmp: bytes) -> bool:
    """Whether the packet says that relume made the picture."""
    return re.search(rb"AISystemUsed\s*(?:=\s*[\"']|>)relume ", xmp) is not None


def with_description(xmp: bytes, descriptions: bytes) -> bytes:
    """The packet with further ``rdf:Description`` elements."""
    before, end, after = xmp.rpartition(_END)
    return before + descriptions + end + after if end else xmp


def merged(xmp: bytes, segments: Iterable[bytes]) -> bytes:
    """The packet together with the extension that lies in further segments of a JPEG, where there is one.

    Source: XMP Specification Part 3 (2020), section 1.1.3.1.
    """
    digest = re.search(rb"HasExtendedXMP\s*(?:=\s*[\"']|>)\s*([0-9A-Fa-f]{32})", xmp)
    if digest is None:
        return xmp
    extended = bytearray()
    head = _EXTENSION + digest[1]
    for segment in segments:
        if segment.startswith(head) and len(segment) > len(head) + 8:
            size, at = struct.unpack_from(">LL", segment, len(head))
            if at != len(extended) or size > _LARGEST_EXTENDED:  # not in order: never seen
                return xmp
            extended += segment[len(head) + 8 :]
    inner = re.search(rb"<rdf:RDF([^<>]*)>(.*)</rdf:RDF>", extended, re.DOTALL)
    if inner is None or len(re.findall(rb"xmlns:(?!rdf\b)", inner[1])):
        return xmp
    return with_description(_without(xmp, b"HasExtendedXMP"), inner[2])


def split(xmp: bytes) -> tuple[bytes, bytes]:
    """A packet that is too long for a segment of a JPEG as a short one and the segments of its extension."""
    extended = re.sub(rb"<\?xpacket[^<>]*\?>", b"", xmp).strip()
    digest = md5(extended, usedforsecurity=False).hexdigest().upper().encode()
    segments = b""
    for at in range(0, len(extended), _LARGEST_PART):
        content = (
            _EXTENSION + digest + struct.pack(">LL", len(extended), at) + extended[at : at + _LARGEST_PART]
        )
        segments += b"\xff\xe1" + struct.pack(">H", len(content) + 2) + content
    return with_description(_EMPTY, _NOTE % digest), segments


def _without(xmp: bytes, name: bytes) -> bytes:
    """The packet without a property, whether it stands as element or as attribute, with any prefix."""
    xmp = re.sub(rb"<([\w.-]+:%s)(?:\s[^<>]*)?>[^<>]*</\1\s*>" % name, b"", xmp)
    return re.sub(rb"\s[\w.-]+:%s\s*=\s*(\"[^\"]*\"|'[^']*')" % name, b"", xmp)
