"""Backups: what a station cannot make anew, in one folder that can be checked and restored anywhere.

    BACKUP/manifest.json       what is in it, and the hash of every file
    BACKUP/records.sqlite      the database as it was at one moment, without a log
    BACKUP/labels.db           what people said of parts, where anybody has
    BACKUP/page.db             who may use the operator page, and who did what, where there is one
    BACKUP/configuration.toml  the configuration file
    BACKUP/models/             the promoted bundles, the gate's reports, the history of promotions and its seal
    BACKUP/bundle/             the configured bundles that are neither promoted nor shipped, each in a folder

Archived scans, logs and compiled networks are not in it: the first are files that never change, each of which the
database names with its hash, so that any program that copies files can keep up with them.
"""

from enum import StrEnum


class Piece(StrEnum):
    """What can be restored by itself."""

    DATABASE = "database"
    LABELS = "labels"
    PAGE = "page"
    MODELS = "models"
    CONFIGURATION = "configuration"
