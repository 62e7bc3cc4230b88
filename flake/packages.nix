# One package for all tools, and one for each alone.
{ pkgs }:
let
  inherit (pkgs) lib;

  source = lib.fileset.toSource {
    root = ../.;
    fileset = lib.fileset.unions [
      ../Cargo.toml
      ../Cargo.lock
      ../clippy.toml
      ../crates
      ../tests
    ];
  };

  # The tools that print their own completions and manual pages.
  documented = [ "ports" ];

  manifest = (lib.importTOML ../Cargo.toml).workspace.package;

  build =
    {
      pname,
      tools,
      description,
    }:
    pkgs.rustPlatform.buildRustPackage {
      inherit pname;
      inherit (manifest) version;
      src = source;
      cargoLock.lockFile = ../Cargo.lock;
      cargoBuildFlags = lib.concatMap (tool: [
        "-p"
        tool
      ]) tools;
      nativeBuildInputs = [ pkgs.installShellFiles ];
      # The tools themselves make these, so not where they cannot run.
      postInstall = lib.optionalString (pkgs.stdenv.buildPlatform.canExecute pkgs.stdenv.hostPlatform) (
        lib.concatMapStrings (tool: ''
          installShellCompletion --cmd ${tool} \
            --bash <("$out/bin/${tool}" completions bash) \
            --fish <("$out/bin/${tool}" completions fish) \
            --zsh <("$out/bin/${tool}" completions zsh)
          "$out/bin/${tool}" man --dir "$out/share/man/man1"
        '') (lib.intersectLists documented tools)
      );
      # The tests want real servers and real Nix: `./tests/run` has them, the build sandbox has not.
      doCheck = false;
      meta = {
        inherit description;
        license = [
          lib.licenses.mit
          lib.licenses.asl20
        ];
        mainProgram = builtins.head tools;
      };
    };

  descriptions = {
    guard = "Say no to Dockerfiles, docker-compose and unmanaged dev servers";
    hashfix = "Compute the fixed-output hash of a lockfile";
    pc = "Run the processes of a process-compose.yaml";
    ports = "Look up ports in the one registry";
    ociimg = "Turn store paths and files into a reproducible OCI image";
    pushimg = "Push an image to a registry and print its digest";
  };
in
builtins.mapAttrs (
  tool: description:
  build {
    pname = tool;
    tools = [ tool ];
    inherit description;
  }
) descriptions
// {
  likewise = build {
    pname = "likewise";
    tools = builtins.attrNames descriptions;
    description = "Small Unix tools for Nix-first DevOps";
  };
}
