"""`station dataset …`: render recordings and make data sets for training from recordings and from folders of pictures."""

import typer

dataset_app = typer.Typer(help="Render recordings, and make data sets for training.", no_args_is_help=True)


@dataset_app.callback()
def dataset() -> None:
    """Render recordings, and make data sets for training."""
