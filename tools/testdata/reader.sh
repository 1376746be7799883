# Runs the commands of a page: sources the blocks in $HOME/blocks, in order. It writes the
# output of a block to .out, and the status of each of its commands to .ended. It replaces
# the pages' addresses by those of this run.
set -u

ended() {
  status=$?
  echo "$status $*" >>"$block.ended"
  return $status
}

here() {
  args=("${@//http:\/\/127.0.0.1:8080/$JPAYMENT_URL}")
  args=("${args[@]//http:\/\/127.0.0.1:9000\/kickback/$RECEIVER}")
  args=("${args[@]//127.0.0.1:8081/127.0.0.1:0}")
  args=("${args[@]//127.0.0.1:9091/127.0.0.1:0}")
}

go() {
  (cd "$REPOSITORY" && HOME=$USER_HOME command go "$@")
  ended go "$@"
}

curl() {
  here "$@"
  command curl --silent --show-error --fail-with-body --max-time 60 "${args[@]}"
  ended curl "$@"
}

jpayment() {
  here "$@"
  case "$*" in
  simulate*--listen*) interrupted "${args[@]}" --listen 127.0.0.1:0 ;;
  simulate*) simulator "${args[@]}" --listen 127.0.0.1:0 ;;
  work* | desk*) interrupted "${args[@]}" ;;
  sales* | cancel* | reauth* | run* | review* | restore-check* | probe*) command jpayment "${args[@]}" --yes ;;
  *) command jpayment "${args[@]}" ;;
  esac
  ended jpayment "$@"
}

# interrupted ends a command that runs forever as soon as it prints something.
interrupted() {
  exec 3< <(exec jpayment "$@" 2>&1)
  pid=$!
  read -r line <&3 && echo "$line" && kill "$pid"
  cat <&3
  wait "$pid"
}

# simulator starts the simulator that then takes the address used in the pages.
simulator() {
  exec 3< <(exec jpayment "$@" 2>&1)
  pid=$!
  while read -r line <&3; do
    echo "$line"
    if [[ $line =~ http://127\.0\.0\.1:[0-9]+ ]]; then
      export JPAYMENT_URL=${BASH_REMATCH[0]}
      simulators+=("$pid")
      return 0
    fi
  done
  wait "$pid"
}

command_not_found_handle() {
  echo "127 $*" >>"$block.ended"
  return 127
}

sqlite3() { :; } # SQL has a test of its own.
ship() { :; }
hold() { :; }
ask_a_person() { :; }

simulators=()
trap 'kill "${simulators[@]}"' EXIT
for block in "$HOME"/blocks/*; do
  source "$block" >"$block.out" 2>&1
done
:
