"""Judging scans from disk, without a cell around them."""
