# The one place where port numbers live.
#
# NixOS modules and flakes import it:   ports = (import ../lib/ports.nix).databases.redis;
# everything else asks for it:          ports get databases.redis
{
  # Machines and the network between them.
  infrastructure = {
    ssh = 22;
    tailscale = { port = 41641; protocol = "udp"; };
    nodeExporter = 9100; # Prometheus scrapes it
    promtail = 9080;
  };

  databases = {
    redis = 6379;
    postgresql = 5432;
    temporal = 7233;
  };

  # On a developer's machine.
  development = {
    api = 3000; # bun run dev
    worker = 3001;
    temporalUI = 8233;
  };

  otel = {
    grpc = 4317;
    http = 4318;
  };

  observability = {
    prometheus = 9090;
    grafana = 3100;
    loki = 3200;
  };

  # Media of calls: a range, opened as one.
  calls.media = { from = 50000; to = 50100; };
}
