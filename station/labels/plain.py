"""Labels as plain data, for JSON: names and values as the records have them, what is not known is None."""

from dataclasses import asdict

from station.core.moments import stamp
from station.core.records import JsonObject
from station.labels.agreement import Finding
from station.labels.label import Box, InspectionSubject, Label, Mask, Patch, Region, Subject


def plain(label: Label) -> JsonObject:
    """A label."""
    return {
        **plain_subject(label.subject),
        **plain_region(label.region),
        "class": label.class_name,
        "who": label.who,
        "at": stamp(label.at),
        "source": label.source.value,
        "note": label.note,
    }


def plain_subject(subject: Subject) -> JsonObject:
    """Of which part: the inspection's id, or the scan's hash and file."""
    if isinstance(subject, InspectionSubject):
        return {"inspection_id": subject.inspection_id, "scan_sha256": None, "file": None}
    return {"inspection_id": None, "scan_sha256": subject.sha256, "file": subject.file or None}


def plain_region(region: Region) -> JsonObject:
    """Of which place: its level, and what names it there."""
    patch = region if isinstance(region, Patch) else None
    return {
        "level": region.level,
        "patch": patch and patch.index,
        "geometry": patch and asdict(patch.geometry),
        "box": asdict(region) if isinstance(region, Box) else None,
        "mask_sha256": region.sha256 if isinstance(region, Mask) else None,
    }


def plain_finding(finding: Finding) -> JsonObject:
    """What people say of a place: the class that they agree on, or None, and what each of them says."""
    return {
        **plain_subject(finding.subject),
        **plain_region(finding.region),
        "agreed": finding.agreed,
        "said": [{"who": one.who, "class": one.class_name, "at": stamp(one.at)} for one in finding.labels],
    }
