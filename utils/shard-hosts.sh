#!/usr/bin/env bash
# Runs COMMAND as two ranks of Open MPI on two hosts: network namespaces with names,
# joined by a cable of 1 Gbit/s and 1 ms each way, over which messages go by TCP. Root
# only. The cable is a veth pair with tc's netem or, where the kernel has none, a
# process that carries packets as slowly (utils/shard-cable.py).
#
# Says on the standard error which, and the bytes that each host has sent. Exits 3
# where namespaces or the cable cannot be made.
#
# Usage: utils/shard-hosts.sh COMMAND...
#   QUANT_HOSTS_GBITS=1 QUANT_HOSTS_DELAY_MS=1
set -euo pipefail
if [ $# = 0 ]; then
  sed -n '2,11s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
gbits=${QUANT_HOSTS_GBITS:-1} delay=${QUANT_HOSTS_DELAY_MS:-1}
a=quant-a-$$ b=quant-b-$$
folder=$(mktemp -d)
cable=
# shellcheck disable=SC2317
remove() {
  local host pid
  for host in "$a" "$b"; do
    # What a killed mpirun may leave.
    for pid in $(ip netns pids "$host" 2>/dev/null); do
      kill -9 "$pid" 2>/dev/null || true
    done
  done
  [ -z "$cable" ] || kill "$cable" 2>/dev/null || true
  ip netns del "$a" 2>/dev/null || true
  ip netns del "$b" 2>/dev/null || true
  rm -rf "$folder"
}
trap remove EXIT

refuse() {
  echo "error: two hosts cannot be made here: $1" >&2
  exit 3
}

# A veth pair with netem, or nothing.
join_by_netem() {
  local host
  ip link add cable netns "$a" type veth peer name cable netns "$b" || return
  for host in "$a" "$b"; do
    if ! ip netns exec "$host" tc qdisc add dev cable root netem \
      delay "${delay}ms" rate "${gbits}gbit" limit 100000; then
      ip -n "$a" link del cable
      return 1
    fi
  done
}

for host in "$a" "$b"; do
  said=$(ip netns add "$host" 2>&1) || refuse "$said"
done
if join_by_netem 2>"$folder/netem"; then
  echo "cable: veth with netem, $delay ms, $gbits Gbit/s" >&2
else
  mkfifo "$folder/ready"
  python3 "$here/shard-cable.py" "$a" "$b" "$delay" "$gbits" \
    >"$folder/ready" 2>"$folder/said" &
  cable=$!
  read -r _ <"$folder/ready" || refuse "$(tail -n1 "$folder/said")"
  echo "cable: a process, $delay ms, $gbits Gbit/s (netem:" \
    "$(tail -n1 "$folder/netem"))" >&2
fi
for host in "$a 10.77.0.1" "$b 10.77.0.2"; do
  read -r name address <<<"$host"
  ip -n "$name" address add "$address/24" dev cable
  ip -n "$name" link set lo up
  # As large as the process takes them in one piece.
  [ -z "$cable" ] || ip -n "$name" link set cable mtu 60000
  ip -n "$name" link set cable up
done

# What mpirun calls in place of ssh: AGENT HOST COMMAND...
cat >"$folder/agent" <<AGENT
#!/bin/sh
shift
exec ip netns exec $b unshare -u sh -c 'hostname $b; exec sh -c "\$*"' sh "\$@"
AGENT
chmod +x "$folder/agent"
printf '10.77.0.1 slots=1\n10.77.0.2 slots=1\n' >"$folder/hosts"

status=0
ip netns exec "$a" unshare -u sh -c "hostname $a; exec \"\$@\"" sh \
  env OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 \
  mpirun -n 2 --hostfile "$folder/hosts" --map-by node \
  --mca plm_rsh_agent "$folder/agent" --mca pml ob1 --mca btl tcp,self \
  --mca btl_tcp_if_include 10.77.0.0/24 --mca oob_tcp_if_include 10.77.0.0/24 \
  "$@" || status=$?
for host in "$a" "$b"; do
  echo "$host: $(ip netns exec "$host" cat /sys/class/net/cable/statistics/tx_bytes)" \
    "bytes sent" >&2
done
exit "$status"
