"""What must be proven of a bundle's screener before it may pass anything, and how a station without that refuses."""

from models.engines.processor import instruction_set
from models.manifest import Bundle
from models.screening.sections import ScreenerProof
from station.core.errors import ModelError
from station.core.settings import ModelSettings

EXACT_INT8 = frozenset({"avx_vnni", "avx512_vnni", "amx_int8", "asimddp", "i8mm"})
"""Extensions with which products of 8 bits are summed in 32; without them sums of two saturate at 16 bits, so that the
same network answers otherwise. Source: oneDNN, "Nuances of int8 computations"."""
LEAST_PARTS = 2995
"""Of fewer parts none passed alone does not prove, with 95 %, that it is one in a thousand at the most."""


def proven_threshold(bundle: Bundle, settings: ModelSettings, isa: str | None = None) -> float:
    """From which probability on a bundle's screener may pass a patch alone, as the station runs it.

    Args:
        bundle: With a screener.
        settings: Engine and precision.
        isa: Instruction set of the processor; None for this one's.

    Raises:
        ModelError: `model.screener_unproven`: nobody has proven it for this engine, precision and processor, or what
            was proven is that it passes defective parts.
    """
    return _proof(bundle, settings, isa or instruction_set()).threshold


def measured_by(bundle: Bundle, settings: ModelSettings) -> str:
    """Engine and precision in words, and whether a screener is asked first: what measurements of a bundle go by."""
    screened = ", screened" if bundle.manifest.screener is not None and settings.screener else ""
    return f"{settings.engine} {settings.precision}{screened}"


def require_proven_type(bundle: Bundle, settings: ModelSettings, part_type: str) -> None:
    """Refuse a screener that was not proven on parts of a type, where the station runs one.

    Raises:
        ModelError: `model.screener_unproven`.
    """
    if bundle.manifest.screener is None or not settings.screener:
        return
    proof = _proof(bundle, settings, instruction_set())
    if part_type not in proof.proven.parts:
        proven = ", ".join(sorted(proof.proven.parts))
        raise _unproven(bundle, f"it was proven on parts of {proven}, not of {part_type}")


def _proof(bundle: Bundle, settings: ModelSettings, isa: str) -> ScreenerProof:
    screener = bundle.manifest.screener
    proof = screener.proof_of(settings.engine, settings.precision) if screener else None
    runs = f"{settings.engine} {settings.precision}"
    if screener is None or proof is None:
        others = ", ".join(f"{one.engine} {one.precision}" for one in (screener.proofs if screener else ()))
        raise _unproven(bundle, f"there is no proof for {runs}, only for {others or 'nothing'}")
    if lacking := _lacking(proof, isa):
        raise _unproven(bundle, f"it was proven on a processor with {lacking}, this one is {isa}")
    if proof.proven.passed_alone:
        told = f"of {proof.proven.all_parts} parts {proof.proven.passed_alone} passed by the screener alone"
        raise _unproven(bundle, f"{told}; none may, take a higher threshold or train another")
    if proof.proven.all_parts < LEAST_PARTS:
        raise _unproven(bundle, f"it was proven on {proof.proven.all_parts} parts, at least {LEAST_PARTS} are needed")
    return proof


def _lacking(proof: ScreenerProof, isa: str) -> str:
    """The arithmetic that the proof rests on and this processor has not got; empty where it has."""
    exact = EXACT_INT8 & set(proof.isa.split())
    return " ".join(sorted(exact)) if proof.precision == "int8" and exact and not EXACT_INT8 & set(isa.split()) else ""


def _unproven(bundle: Bundle, why: str) -> ModelError:
    return ModelError("model.screener_unproven", f"{bundle.identity.name}: {why}")
