"""Where a station keeps what it pulled, in its folder of models.

MODELS/incoming/NAME-HASH/     a bundle as it was signed
MODELS/fleet.json              the newest serial number that was seen, so that an older offer is refused
MODELS/shadow/HASH.json        what it would have decided of this cell's parts
"""

INCOMING, SEEN, SHADOW = "incoming", "fleet.json", "shadow"
