#!/bin/sh
# User data of the Lightsail instance: installs nginx and the gallery page at first boot. Lightsail inserts its own lines
# before this script and runs everything with sh, regardless of the shebang. The script must therefore be POSIX sh.
set -eu

# This script writes to these folders only.
site=/var/www/gallery
nginx=/etc/nginx
units=/etc/systemd/system

# In the first minutes, operating system updates hold the lock of the package manager.
retry() {
    tries=30
    until "$@"; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || return 1
        sleep 10
    done
}
export DEBIAN_FRONTEND=noninteractive
retry apt-get --quiet update
retry apt-get --quiet --yes --no-install-recommends install nginx

mkdir -p "$site"
cd "$site"
# Python is installed: cloud-init, which runs this script, needs it.
python3 -c 'import base64, bz2, json, pathlib
page = json.loads(bz2.decompress(base64.b85decode(input().replace(",", "$"))))
for file, content in page.items():
    file = pathlib.Path(file)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content.encode("latin-1"))' <<'END'
@PAGE@
END
cat > config.json <<'END'
@CONFIG@
END
echo '{"launch_type": "LIGHTSAIL", "task": null, "zone": null}' > whoami

rm -f "$nginx/sites-enabled/default"
cat > "$nginx/sites-available/gallery" <<END
server {
    listen 80 default_server;
    root $site;
    server_tokens off;
    location = /whoami { default_type application/json; }
    add_header Cache-Control no-cache always;
    add_header Referrer-Policy no-referrer always;
    add_header X-Content-Type-Options nosniff always;
    add_header Content-Security-Policy "default-src 'self'; connect-src 'self' @API_URL@ @ORIGINALS_URL@; img-src 'self' blob: data: @THUMBNAILS_URL@; base-uri 'none'; form-action 'none'; frame-ancestors 'none'" always;
}
END
ln -sf "$nginx/sites-available/gallery" "$nginx/sites-enabled/gallery"

# CloudFormation cannot require IMDSv2 on Lightsail, so block the metadata service for the web server.
mkdir -p "$units/nginx.service.d"
cat > "$units/nginx.service.d/no-metadata.conf" <<'END'
[Service]
IPAddressDeny=169.254.169.254
END

nginx -t
systemctl daemon-reload
systemctl enable nginx # starts it after each reboot
systemctl restart nginx
