"""The program in the container: `python -m album page ALBUM` and `python -m album bind ALBUM`.

`page` is a child of an array job: AWS Batch says which one in AWS_BATCH_JOB_ARRAY_INDEX. An album of one page is a
plain job, since an array has at least two children: then there is no such variable, and the page is the first.

Exit status 0: done. 1: it can never be done, and one line says why. Anything that may pass, such as throttling
that outlasts the client's own retries, ends with a traceback: it is for whoever operates this.
"""

import argparse
import os
import sys

import boto3
from botocore.config import Config

from album.binding import bind
from album.page import make_page
from album.store import AlbumStore, ObjectNotFound
from album.thumbnails import Pictures
from photos.albums import InvalidAlbum
from photos.catalogue import Catalogue

# Patient: nobody waits for an answer, and a job that fails here is not tried again.
_CONFIG = Config(connect_timeout=5, read_timeout=30, retries={"mode": "standard", "total_max_attempts": 8})


def main(arguments: list[str]) -> None:
    """Make one page, or bind them all. Exits with one line when it cannot."""
    parser = argparse.ArgumentParser(prog="album", description="Makes one page of an album, or binds all of them.")
    parser.add_argument("command", choices=["page", "bind"])
    parser.add_argument("album", help="id of the album")
    given = parser.parse_args(arguments)
    try:
        bucket = _variable("THUMBNAILS_BUCKET")
        s3 = boto3.client("s3", config=_CONFIG)
        store = AlbumStore(s3, bucket)
        album = store.album(given.album)
        if given.command == "bind":
            print(f"Album {album.id}: {bind(album, store)}")
            return
        catalogue = Catalogue(boto3.client("dynamodb", config=_CONFIG), _variable("CATALOGUE_TABLE"))
        pictures = Pictures(catalogue, s3, bucket)
        index = int(os.environ.get("AWS_BATCH_JOB_ARRAY_INDEX", "0"))
        print(f"Album {album.id}, page {index + 1} of {album.page_count}: {make_page(album, index, pictures, store)}")
    except (InvalidAlbum, ObjectNotFound, IndexError) as error:
        sys.exit(f"Album {given.album}: {error}")


def _variable(name: str) -> str:
    if name not in os.environ:
        sys.exit(f"The environment variable {name} is not set")
    return os.environ[name]


if __name__ == "__main__":
    main(sys.argv[1:])
