{
  description = "likewise: small Unix tools for Nix-first DevOps; localhost === CI === production";

  inputs = {
    # A stable branch. Run `nix flake lock` once after cloning: it writes the flake.lock that belongs in your checkout.
    nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";
    flake-parts.url = "github:hercules-ci/flake-parts";
    flake-parts.inputs.nixpkgs-lib.follows = "nixpkgs";
  };

  outputs =
    inputs@{ flake-parts, ... }:
    flake-parts.lib.mkFlake { inherit inputs; } {
      systems = [
        "x86_64-linux"
        "aarch64-linux"
        "x86_64-darwin"
        "aarch64-darwin"
      ];

      # Pure functions, the same with or without this flake: `import ./flake/lib.nix` gives them too.
      flake.lib = import ./flake/lib.nix;

      perSystem =
        { pkgs, self', ... }:
        let
          packages = import ./flake/packages.nix { inherit pkgs; };
        in
        {
          packages = packages // {
            default = packages.likewise;
          };

          apps = builtins.mapAttrs (name: package: {
            type = "app";
            program = "${package}/bin/${name}";
            meta.description = package.meta.description;
          }) (removeAttrs packages [ "likewise" ]);

          checks = packages;

          devShells.default = import ./flake/shell.nix { inherit pkgs; };
        };
    };
}
