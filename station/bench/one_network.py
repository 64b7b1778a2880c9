"""What is measured of a line with several networks: the first part type's, and all types that it judges."""

from station.core.settings import Settings
from station.host.recipes import bundle_names


def of_one_network(settings: Settings) -> tuple[Settings, tuple[str, ...]]:
    """The configuration with the part types that the first one's network judges, and the names of the others.

    Whoever wants the figures of another network puts one of its types first, or measures a configuration of its own.

    Args:
        settings: With one part type or more; the first decides.
    """
    names = bundle_names(settings)
    first, *_rest = settings.known_types
    kept = [
        kind.name
        for kind in settings.known_types
        if (names[kind.name], kind.geometry) == (names[first.name], first.geometry)
    ]
    model = settings.model.model_copy(update={"bundle": names[first.name]})
    types = {name: kind.model_copy(update={"bundle": ""}) for name, kind in settings.part_types.items() if name in kept}
    left_out = tuple(name for name in settings.part_types if name not in kept)
    return settings.model_copy(update={"model": model, "part_types": types}), left_out
