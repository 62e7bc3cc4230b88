# Functions that need nothing but Nix itself.
{
  # What `ports export` computes, for modules and shells that read the registry as a Nix value:
  #   environment.variables = ports.env (import ./lib/ports.nix);
  ports = import ./ports.nix;
}
