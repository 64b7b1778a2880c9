"""The chapter of a model card on what a bundle's screener passes alone, and the same in a sentence."""

from models.evaluation.figures.rates import upper_limit
from models.manifest import Manifest
from models.screening.sections import ScreenerProof

TITLE = "## The screener"
ALONE = (
    "A small network, {network} of {parts:,} parts ({source}), is asked first. It may only say that a patch is surely "
    "defect-free; every other patch is judged by the network itself, so that a rejection is always its own."
)
UNPROVEN = "Nothing was proven of it yet, so no station runs it: `station model screen` mends that."
CONFIDENCE = 0.95


def chapter(manifest: Manifest) -> str:
    """The chapter, with its title; only for a bundle that has a screener."""
    screener = manifest.screener
    if screener is None:
        return f"{TITLE}\n\nIt has none: the network judges every patch."
    told = ALONE.format(network=screener.network, parts=screener.parts, source=screener.source)
    proofs = [sentence(proof) for proof in screener.proofs] or [UNPROVEN]
    return "\n\n".join([TITLE, told, *proofs])


def sentence(proof: ScreenerProof) -> str:
    """What was proven, and on what, in words."""
    proven = proof.proven
    most = upper_limit(proven.passed_alone, proven.all_parts, CONFIDENCE)
    share = proven.screened / proven.patches
    return (
        f"By {proof.engine} in {proof.precision}, from {proof.threshold:g} on: of {proven.all_parts:,} parts "
        f"({proven.source}), {proven.not_passed:,} of which the network in f32 does not pass, the pair passed "
        f"{proven.passed_alone} that it does not pass (at most {most:.2%} of parts, 95 %), decided {proven.otherwise} "
        f"otherwise in another way, and the screener alone judged {share:.1%} of {proven.patches:,} patches."
    )
