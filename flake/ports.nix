# The registry as environment variables, named as `ports export --format env` names them:
#   { databases.redis = 6379; }  ->  { DATABASES_REDIS_PORT = "6379"; }
# A test compares the two on the example registry.
let
  upper =
    builtins.replaceStrings
      [ "a" "b" "c" "d" "e" "f" "g" "h" "i" "j" "k" "l" "m" "n" "o" "p" "q" "r" "s" "t" "u" "v" "w" "x" "y" "z" ]
      [ "A" "B" "C" "D" "E" "F" "G" "H" "I" "J" "K" "L" "M" "N" "O" "P" "Q" "R" "S" "T" "U" "V" "W" "X" "Y" "Z" ];

  # `nodeExporter` -> `node_Exporter`, `temporalUI` -> `temporal_UI`, `HTTPPort` -> `HTTP_Port`.
  splitCamelCase =
    name:
    let
      atBoundary =
        pattern: text:
        builtins.concatStringsSep "" (
          map (part: if builtins.isList part then "${builtins.elemAt part 0}_${builtins.elemAt part 1}" else part) (
            builtins.split pattern text
          )
        );
    in
    # Twice: matches do not overlap, so one pass leaves every second boundary of `aBcD`.
    atBoundary "([A-Z])([A-Z][a-z])" (atBoundary "([a-z0-9])([A-Z])" (atBoundary "([a-z0-9])([A-Z])" name));

  # Whatever a shell does not allow in a name becomes `_`.
  clean =
    name:
    builtins.concatStringsSep "" (
      map (part: if builtins.isList part then "_" else part) (builtins.split "[^A-Za-z0-9]" name)
    );

  # A variable cannot start with a digit.
  variable =
    path:
    let
      name = builtins.concatStringsSep "_" (map (segment: upper (clean (splitCamelCase segment))) path ++ [ "PORT" ]);
    in
    if builtins.match "[0-9].*" name == null then name else "_" + name;

  entries =
    path: value:
    if builtins.isInt value then
      [ { name = variable path; value = toString value; } ]
    else if builtins.isList value && builtins.all builtins.isInt value then
      [ { name = variable path; value = toString value; } ]
    else if builtins.isAttrs value && builtins.isInt (value.port or null) then
      # `{ port = 41641; protocol = "udp"; }` is one port. A range, `{ from; to; }`, has a variable for each end.
      [ { name = variable path; value = toString value.port; } ]
    else if builtins.isAttrs value then
      builtins.concatLists (map (name: entries (path ++ [ name ]) value.${name}) (builtins.attrNames value))
    else
      throw "`${builtins.concatStringsSep "." path}` is neither a port nor a group of ports";
in
{
  # { databases.redis = 6379; } -> { DATABASES_REDIS_PORT = "6379"; }
  env = registry: builtins.listToAttrs (entries [ ] registry);
}
