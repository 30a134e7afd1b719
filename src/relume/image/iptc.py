"""IPTC records (IIM), as JPEG and PNG wrap them.

In a JPEG they are a resource in Photoshop's block of resources; in a PNG the same, as hexadecimal text that
ImageMagick and ExifTool write and read.
"""

import struct

IPTC_RESOURCE = 0x0404
IPTC_KEYWORD = "Raw profile type iptc"
_SIGNATURE = b"Photoshop 3.0\0"
_HEX_PER_LINE = 72


def segment_of(records: bytes) -> bytes:
    """The APP13 segment of a JPEG; nothing if they are too long for one."""
    content = _SIGNATURE + _resource(records)
    return b"\xff\xed" + struct.pack(">H", len(content) + 2) + content if len(content) < 0xFFFE else b""


def text_of(records: bytes) -> str:
    """The text of a PNG's chunk with the keyword :data:`IPTC_KEYWORD`."""
    content = _resource(records)
    digits = content.hex()
    lines = (digits[at : at + _HEX_PER_LINE] for at in range(0, len(digits), _HEX_PER_LINE))
    return "\n".join(["", "iptc", f"{len(content):8}", *lines, ""])


def records_of(text: str) -> bytes | None:
    """The records in such a text, with or without a resource around them; None if it is damaged."""
    try:
        _, length, *lines = text.split()
        content = bytes.fromhex("".join(lines))[: int(length)]
        if not content.startswith(b"8BIM"):
            return content or None
        kind, size = struct.unpack_from(">H2xL", content, 4)
    except (ValueError, struct.error):
        return None
    return content[12 : 12 + size] if kind == IPTC_RESOURCE else None


def _resource(records: bytes) -> bytes:
    """A Photoshop image resource without a name, of even length."""
    return b"8BIM" + struct.pack(">HHL", IPTC_RESOURCE, 0, len(records)) + records + bytes(len(records) % 2)
