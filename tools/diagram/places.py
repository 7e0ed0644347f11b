"""Where each box of the picture stands: column and row by name, chosen by hand so that neighbours belong together."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """column, row: from the top left, from 0. label: what it is called in the picture."""

    column: int
    row: int
    label: str


PLACES = {
    "Ecs/LoadBalancer": Place(0, 0, "load balancer"),
    "Ecs/Ec2Service": Place(1, 0, "gallery"),
    "Ecs/HostsGroupASG": Place(2, 0, "hosts"),
    "Ecs/FargateService": Place(1, 1, "gallery"),
    "Lightsail/Server": Place(3, 0, "website"),
    "Api/AccessLogStream": Place(4, 0, "access log"),
    "Api/AccessLogBucket": Place(5, 0, "access log"),
    "Api/Gateway": Place(4, 1, "REST API"),
    "Api/Function": Place(5, 1, "api"),
    "Thumbnails/Originals": Place(0, 2, "originals"),
    "Thumbnails/Uploads": Place(1, 2, "uploads"),
    "Thumbnails/DeadLetters": Place(2, 3, "dead letters"),
    "Thumbnails/Function": Place(3, 2, "thumbnail"),
    "Thumbnails/Thumbnails": Place(4, 2, "thumbnails"),
    "Thumbnails/Catalogue": Place(5, 2, "catalogue"),
    "Cron/Nightly": Place(0, 4, "nightly"),
    "Cron/Function": Place(1, 4, "sweep"),
    "Cron/DeadLetters": Place(1, 5, "dead letters"),
    "Batch/Page": Place(2, 4, "page"),
    "Batch/Bind": Place(3, 4, "bind"),
    "Batch/Queue": Place(4, 4, "pages"),
    "Batch/FargateQueue": Place(5, 4, "bindings"),
    "Batch/HostsSpot": Place(3, 5, "Spot"),
    "Batch/HostsOnDemand": Place(4, 5, "on demand"),
    "Batch/Fargate": Place(5, 5, "Fargate"),
    "Registry/Builder": Place(0, 6, "image build"),
    "Registry/GalleryImageProject": Place(1, 6, "gallery"),
    "Registry/Gallery": Place(2, 6, "gallery"),
    "Registry/AlbumImageProject": Place(1, 7, "album"),
    "Registry/Album": Place(2, 7, "album"),
    "Guardrails/AlarmRaised": Place(3, 6, "alarm"),
    "Guardrails/AlbumFailed": Place(3, 7, "album fails"),
    "Guardrails/AlbumWaits": Place(3, 8, "album waits"),
    "Guardrails/GalleryInTrouble": Place(5, 7, "gallery fails"),
    "Guardrails/Alerts": Place(4, 7, "alerts"),
    "Guardrails/Budget": Place(4, 6, "budget"),
    "Guardrails/Dashboard": Place(4, 8, "dashboard"),
    "Network/Vpc": Place(2, 8, "VPC"),
}
