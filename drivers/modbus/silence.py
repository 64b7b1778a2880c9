"""How long a byte is on a serial line, and the silence that tells two frames apart."""

from station.core.settings import RtuLink, TcpLink

_BITS_PER_CHARACTER = 11
_SILENT_CHARACTERS = 3.5
_SHORTEST_SILENCE_S = 0.00175
"""Source: MODBUS over Serial Line V1.02, section 2.5.1.1."""


def byte_s(settings: RtuLink) -> float:
    """How long one byte takes: its start bit, eight of its own, parity where there is one, and its stop bits."""
    return (9 + (settings.parity != "N") + settings.stop_bits) / settings.baud_rate


def silence_s(settings: TcpLink | RtuLink) -> float:
    """How long a line must be silent before a frame; 0 where frames are told apart otherwise."""
    if isinstance(settings, TcpLink):
        return 0.0
    return max(_SHORTEST_SILENCE_S, _SILENT_CHARACTERS * _BITS_PER_CHARACTER / settings.baud_rate)
