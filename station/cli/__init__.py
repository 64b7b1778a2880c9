"""The command line: one module for each group of commands, and what they share."""


def main() -> None:
    """Run `station`, as it is installed."""
    from station.cli.app import main as run

    run()
