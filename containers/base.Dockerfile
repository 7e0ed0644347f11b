# The base image of all images. To pin its content, append a digest: python:3.13-slim@sha256:…
# It is a tag, because no registry was reachable where this project was built, so no digest could be verified. Until then,
# each build uses the current image of this tag. To print its digest:
#   docker buildx imagetools inspect public.ecr.aws/docker/library/python:3.13-slim --format '{{.Manifest.Digest}}'
# The image comes from Amazon ECR Public, because Docker Hub throttles anonymous pulls from CodeBuild addresses.
FROM public.ecr.aws/docker/library/python:3.13-slim
