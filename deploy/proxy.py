"""What ends TLS in front of the api, and must not let a slow client hold a connection: nginx and Caddy. Texts only."""

from deploy.plan import Plan


def proxies(plan: Plan) -> dict[str, str]:
    """Text by file name below proxy/; nothing where no api runs."""
    if not plan.has_centre:
        return {}
    return {"nginx.conf": _nginx(plan), "Caddyfile": _caddy(plan)}


def _nginx(plan: Plan) -> str:
    return f"""# For nginx, within http {{ }}: put it into sites-enabled. The certificate is one that browsers know.
limit_conn_zone $binary_remote_addr zone=zrazkovo:1m;
server {{
    listen 443 ssl;
    listen [::]:443 ssl;
    server_name {plan.domain};
    ssl_certificate /etc/ssl/{plan.domain}.pem;
    ssl_certificate_key /etc/ssl/{plan.domain}.key;
    ssl_protocols TLSv1.2 TLSv1.3;
    client_header_timeout 10s;
    client_body_timeout 10s;
    client_max_body_size 128k;
    send_timeout 30s;
    limit_conn zrazkovo 40;
    location / {{
        proxy_pass http://127.0.0.1:{plan.ports["api"]};
        proxy_http_version 1.1;
        proxy_set_header Host $host;
        proxy_set_header X-Forwarded-For $remote_addr;
        proxy_set_header X-Forwarded-Proto $scheme;
        proxy_buffering off;  # the live page is a stream
        proxy_read_timeout 90s;
    }}
}}
server {{
    listen 80;
    listen [::]:80;
    server_name {plan.domain};
    return 301 https://$host$request_uri;
}}
"""


def _caddy(plan: Plan) -> str:
    return f"""# For Caddy 2, which fetches the certificate itself where it can.
{{
    servers {{
        timeouts {{
            read_header 10s
            read_body 10s
            idle 2m
        }}
    }}
}}
{plan.domain} {{
    request_body {{
        max_size 128KB
    }}
    reverse_proxy 127.0.0.1:{plan.ports["api"]} {{
        flush_interval -1
    }}
}}
"""
