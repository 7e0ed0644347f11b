"""Write `docs/compare.md` and its chart from the results of the latest run: `python -m operations.compare.page`."""

import argparse
import sys

from operations.compare.measurement import RESULTS, Comparison
from operations.compare.page.markdown import create_model, write_page
from operations.cost.prices import UnknownPriceError
from operations.errors import OperationError


def main() -> None:
    """Write the page from the results of the latest run. Exit with 1 and the reason if that is impossible."""
    argparse.ArgumentParser(prog="python -m operations.compare.page", description=__doc__).parse_args()
    try:
        comparison = Comparison.read()
        write_page(comparison, create_model(comparison))
    except FileNotFoundError:
        sys.exit(f"{RESULTS.name} does not exist. Run `make compare` first.")
    except (OperationError, UnknownPriceError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
