"""Regenerate the thumbnails of one slice of all photos: `python -m thumbnailer.remake MANIFEST`.

It runs in a child of an array job. AWS Batch sets the index of the slice in AWS_BATCH_JOB_ARRAY_INDEX. A remake of one
slice runs as a plain job without that variable, because an array job needs at least two children.

Exit status 0 means that every photo is ready or rejected. Status 1 means that another attempt can succeed: some photos
failed, a call to AWS failed (with a traceback), or SIGTERM stopped the program. Status 2 with one line on stderr means
that another attempt cannot succeed.

Environment variables: ORIGINALS_BUCKET, THUMBNAILS_BUCKET, CATALOGUE_TABLE.
"""

import argparse
import logging
import os
import signal
import sys
from collections import Counter
from contextlib import closing
from typing import Any, Never

from photos.catalogue import Catalogue
from photos.decoder_process import DecoderProcess
from photos.remake import InvalidManifest, Manifest, Remake
from photos.storage import Originals, Thumbnails
from photos.thumbnails import Thumbnailer
from thumbnail.clients import create_client

log = logging.getLogger("remake")
log.setLevel(logging.INFO)

# Many attempts, because no client waits, and another attempt of the job repeats the whole slice.
_ATTEMPTS = 8


def main(arguments: list[str]) -> int:
    """Regenerate the thumbnails of a slice. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="thumbnailer.remake", description="Regenerates the thumbnails of a slice.")
    parser.add_argument("manifest", help="object key of the manifest in the thumbnails bucket")
    key = parser.parse_args(arguments).manifest
    index = int(os.environ.get("AWS_BATCH_JOB_ARRAY_INDEX", "0"))
    with DecoderProcess() as decoder:
        s3, catalogue = (create_client(service, attempts=_ATTEMPTS) for service in ("s3", "dynamodb"))
        originals = Originals(s3, os.environ["ORIGINALS_BUCKET"])
        thumbnails = Thumbnails(s3, os.environ["THUMBNAILS_BUCKET"])
        stores = originals, thumbnails, Catalogue(catalogue, os.environ["CATALOGUE_TABLE"])
        remake = Remake(*stores, Thumbnailer(*stores, decoder.make_thumbnails))
        try:
            manifest = _read_manifest(s3, os.environ["THUMBNAILS_BUCKET"], key)
            part = manifest.slice(index)
        except s3.exceptions.NoSuchKey:
            _fail(f"{key} is not in the bucket {os.environ['THUMBNAILS_BUCKET']}")
        except InvalidManifest as error:
            _fail(f"{key}: {error}")
        counts = Counter[str]()
        for photo, outcome in remake.run(part):
            if isinstance(outcome, Exception):
                log.error("Photo %r failed: %s: %s", photo, type(outcome).__name__, outcome, exc_info=outcome)
                counts["failed"] += 1
            else:
                counts[outcome] += 1
    results = ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))
    log.info("Slice %d of %d: %d photos (%s)", index + 1, len(manifest.starts), counts.total(), results)
    return 1 if counts["failed"] else 0


def _read_manifest(s3: Any, bucket: str, key: str) -> Manifest:
    with closing(s3.get_object(Bucket=bucket, Key=key)["Body"]) as body:
        return Manifest.from_json(body.read())


def _fail(message: str) -> Never:
    print(message, file=sys.stderr)
    sys.exit(2)


def _stop(*_signal: object) -> Never:
    # The first process of a container ignores SIGTERM without a handler, and would be killed after 30 seconds. Another
    # attempt starts, unless the job was terminated.
    sys.exit("Stopped by SIGTERM. Another attempt repeats the slice.")


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _stop)
    logging.basicConfig(format="%(message)s", stream=sys.stdout)
    sys.exit(main(sys.argv[1:]))
