"""Make a page of an album, or bind all its pages to a PDF: `python -m album page|bind ALBUM`.

`page` runs in a child job of an array job, whose index AWS Batch sets in AWS_BATCH_JOB_ARRAY_INDEX. An album of one
page runs as a plain job without that variable, because an array job needs at least two children.

Exit status 0 means success. Status 1 with one line on stderr means that a retry cannot succeed. A transient error, such
as throttling that outlasts the retries of the client, ends with a traceback.
"""

import argparse
import os
import sys

import boto3
from botocore.config import Config

from album.page import make_page
from album.store import AlbumStore, ObjectNotFound
from album.thumbnails import ThumbnailReader
from photos.albums import InvalidAlbum
from photos.catalogue import Catalogue

# Many attempts, because no client waits, and Batch retries only after a Spot interruption.
_CONFIG = Config(connect_timeout=5, read_timeout=30, retries={"mode": "standard", "total_max_attempts": 8})


def main(arguments: list[str]) -> None:
    """Run one command of the album job."""
    parser = argparse.ArgumentParser(prog="album", description="Makes one page of an album, or binds all of them.")
    parser.add_argument("command", choices=["page", "bind"], help="page: draw one page; bind: write the PDF")
    parser.add_argument("album", help="id of the album")
    options = parser.parse_args(arguments)
    try:
        bucket = _variable("THUMBNAILS_BUCKET")
        s3 = boto3.client("s3", config=_CONFIG)
        store = AlbumStore(s3, bucket)
        album = store.read_album(options.album)
        if options.command == "bind":
            from album.binding import bind  # loads fpdf2 (0.5 s), which a page job does not need

            print(f"Album {album.id}: {bind(album, store)}")
            return
        catalogue = Catalogue(boto3.client("dynamodb", config=_CONFIG), _variable("CATALOGUE_TABLE"))
        reader = ThumbnailReader(catalogue, s3, bucket)
        index = int(os.environ.get("AWS_BATCH_JOB_ARRAY_INDEX", "0"))
        print(f"Album {album.id}, page {index + 1} of {album.page_count}: {make_page(album, index, reader, store)}")
    except (InvalidAlbum, ObjectNotFound, IndexError) as error:
        sys.exit(f"Album {options.album}: {error}")


def _variable(name: str) -> str:
    if name not in os.environ:
        sys.exit(f"The environment variable {name} is not set")
    return os.environ[name]


if __name__ == "__main__":
    main(sys.argv[1:])
