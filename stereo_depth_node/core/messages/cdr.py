# Copyright 2026 The stereo_depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Reads messages in the form in which the middleware delivers them, without copying them.

A serialized message is plain CDR (OMG DDS-XTypes 1.3, 7.4): 4 bytes of encapsulation, which name
the byte order, then the fields as they are defined, each aligned to its own size. Strings and
sequences begin with their length; that of a string counts the zero at its end.
"""

from __future__ import annotations

import struct

from stereo_depth_node.core.errors import DataLengthError, ImageError

__all__ = ['CdrReader']

_ENCAPSULATION = 4
# By the first two bytes. The second version of CDR differs in 64-bit fields, and has none here.
_BYTE_ORDERS = {b'\0\0': '>', b'\0\1': '<', b'\0\6': '>', b'\0\7': '<'}
_STAMPS = {order: struct.Struct(f'{order}iI') for order in '<>'}
_NUMBERS = {order: struct.Struct(f'{order}I') for order in '<>'}


class CdrReader:
    """Reads the fields of a serialized image message one after the other.

    Each of its methods reads the next field, and raises a `DataLengthError` if the message ends
    before.

    Parameters
    ----------
    serialized : bytes or bytearray
        The message.

    Attributes
    ----------
    offset : int
        Where the field ends that was read last, bytes.

    Raises
    ------
    ImageError
        If it is serialized in an unknown way.
    """

    __slots__ = ('_number', '_serialized', '_stamp', 'offset')

    def __init__(self, serialized: bytes | bytearray) -> None:
        order = _BYTE_ORDERS.get(bytes(serialized[:2]))
        if order is None:
            raise ImageError(
                f'a message begins with the bytes {serialized[:2].hex()!r}: expected one that is '
                'serialized as plain CDR; check what publishes it'
            )
        self._serialized = serialized
        self._number = _NUMBERS[order]
        self._stamp = _STAMPS[order]
        self.offset = _ENCAPSULATION

    def stamp(self) -> tuple[int, int]:
        """Read a builtin_interfaces/Time: seconds and nanoseconds."""
        seconds, nanoseconds = self._unpack(self._stamp)
        return seconds, nanoseconds

    def uint32(self) -> int:
        """Read a uint32."""
        return self._unpack(self._number)[0]

    def octet(self) -> int:
        """Read a uint8."""
        if self.offset >= len(self._serialized):
            raise self._cut_short()
        self.offset += 1
        return self._serialized[self.offset - 1]

    def octets(self) -> memoryview:
        """Read a sequence of uint8 as a view of the message; as much of it as there is."""
        length = self.uint32()
        start, self.offset = self.offset, self.offset + length
        return memoryview(self._serialized)[start : self.offset]

    def string(self) -> str:
        """Read a string; bytes that are no UTF-8 are replaced."""
        text = self.octets()
        if self.offset > len(self._serialized):
            raise self._cut_short()
        return str(text, 'utf-8', 'replace').rstrip('\0')

    def _unpack(self, fields: struct.Struct) -> tuple[int, ...]:
        """Read aligned 32-bit fields; the encapsulation is as long as the alignment."""
        start = (self.offset + 3) & ~3
        try:
            values = fields.unpack_from(self._serialized, start)
        except struct.error as error:
            raise self._cut_short() from error
        self.offset = start + fields.size
        return values

    def _cut_short(self) -> DataLengthError:
        return DataLengthError(
            f'an image message ends after {len(self._serialized)} bytes, within its header: '
            'check what publishes it'
        )
