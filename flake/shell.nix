# What `./demo/run` and `./tests/run` need where there is no apt.
{ pkgs }:
pkgs.mkShell {
  packages = [
    pkgs.cargo
    pkgs.clippy
    pkgs.rustc
    pkgs.rustfmt
    pkgs.stdenv.cc

    pkgs.apacheHttpd # htpasswd
    pkgs.distribution # docker-registry
    pkgs.git
    pkgs.hyperfine
    pkgs.just
    pkgs.runc
    pkgs.skopeo
    pkgs.umoci
  ];
}
