# The ports of this repository's own development. What users have is in examples/lib/ports.nix.
{
  development = {
    registry = 5000; # a registry on this machine, to push to by hand
  };
}
