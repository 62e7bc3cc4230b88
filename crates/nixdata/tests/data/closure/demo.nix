# What the files beside this one describe: the closure of `app`, as Nix 2.8.0, 2.26.3 and 2.34.8 tell it, in a store of
# its own (NIX_REMOTE="local?root=DIR", --option sandbox-paths "/bin /lib /lib64 /usr"), so that all three name the same
# paths. `path-info-*` are `nix path-info --json -r`, `absent-*` the same of a path that is not there, `registration.txt`
# is `nix-store --dump-db`, `references-graph.txt` the output of `legacy`, `attrs-*` the output of `attrs`.
let
  mk = name: args: derivation ({ inherit name; system = builtins.currentSystem; builder = "/bin/sh"; } // args);
  base = mk "base-1.0" { args = [ "-c" "echo base > $out" ]; };
  lib = mk "libdemo-2.1" { inherit base; args = [ "-c" "echo $base $out > $out" ]; };   # a self reference
  app = mk "app" { inherit lib; conf = builtins.toFile "app.conf" "port = 1\n"; args = [ "-c" "echo $lib $conf > $out" ]; };
  legacy = mk "graph" { exportReferencesGraph = [ "graph" app ]; args = [ "-c" "while IFS= read -r l; do echo \"$l\"; done < graph > $out" ]; };
  attrs = mk "attrs" { __structuredAttrs = true; exportReferencesGraph.closure = [ app ]; outputs = ["out"];
     args = [ "-c" ". ./.attrs.sh; IFS= read -r l < .attrs.json; echo \"$l\" > \${outputs[out]}" ]; builder = "/bin/bash"; };
in { inherit base lib app legacy attrs; }
