"""The register maps of robot, jig and line PLC as TOML files."""
