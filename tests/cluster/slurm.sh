#!/usr/bin/env bash
# A real SLURM on this machine: a controller and nodes with fake GPUs, each with its own network, host
# name, process ids and /tmp, all of it in one folder. Needs root; installs Debian's packages.
#
#   slurm.sh up               install what is missing, start what is not running
#   slurm.sh env              print what a shell needs to use it:  eval "$(slurm.sh env)"
#   slurm.sh node-fail N      cut node N's power: all that runs there is gone at once
#   slurm.sh node-restore N   switch it on again
#   slurm.sh down             stop everything and remove the folder
#
# All nodes see $CLUSTER_ROOT/shared; $CLUSTER_ROOT/small, a disk that is soon full; and
# $CLUSTER_ROOT/read-only.
#
# From the environment (defaults in brackets): CLUSTER_ROOT, the folder [/tmp/bench-cluster];
# CLUSTER_NODES [4], CLUSTER_GPUS a node [2], CLUSTER_CPUS a node [4]; CLUSTER_MAX_ARRAY, SLURM's
# MaxArraySize [1001]; CLUSTER_ACCOUNTING=1 for slurmdbd, so that sacct works (30 s more);
# CLUSTER_SHARED, folders below /tmp that all nodes see. `up` again with other values applies them.
# Exit status 3: this machine cannot; one line says why.
set -euo pipefail

root=${CLUSTER_ROOT:-/tmp/bench-cluster}
nodes=${CLUSTER_NODES:-4} gpus=${CLUSTER_GPUS:-2} cpus=${CLUSTER_CPUS:-4}
max_array=${CLUSTER_MAX_ARRAY:-1001} accounting=${CLUSTER_ACCOUNTING:-0}
etc=$root/etc run=$root/run log=$root/log state=$root/state
# Clusters in other folders have other networks and ports.
number=$(($(cksum <<<"$root" | cut -d' ' -f1) % 200))
network=10.99.$number port=$((20000 + 10 * number)) bridge=bench-br$number
shared=() # a node's /tmp is its own, but for these
for folder in "$root" ${CLUSTER_SHARED:-}; do
  [[ $folder != /tmp/* ]] || shared+=("$folder")
done

cannot() {
  echo "slurm.sh: cannot bring up SLURM here: $1" >&2
  exit 3
}

alive() { # PIDFILE
  [[ -s $1 ]] && kill -0 "$(<"$1")" 2>/dev/null
}

wait_for() { # COMMAND...: until it succeeds, for at most a minute
  local end=$((SECONDS + 60))
  until "$@" >/dev/null 2>&1; do
    if ((SECONDS >= end)); then
      echo "slurm.sh: gave up on: $*; logs are in $log" >&2
      return 1
    fi
    sleep 0.2
  done
}

stop() { # PIDFILE...: end, and after ten seconds kill
  local file pid
  for file; do
    if alive "$file"; then
      pid=$(<"$file")
      kill "$pid"
      timeout 10 tail --pid="$pid" -f /dev/null || kill -9 "$pid" || true
    fi
    rm -f "$file"
  done
}

install_packages() {
  local package missing=() wanted=(slurm-wlm munge iproute2)
  ((accounting)) && wanted+=(slurmdbd mariadb-server)
  for package in "${wanted[@]}"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
      missing+=("$package")
  done
  ((${#missing[@]})) || return 0
  command -v apt-get >/dev/null || cannot "no apt-get to install ${missing[*]} with"
  {
    apt-get update -qq
    # No service of the package's own is started, or stays.
    DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
      apt-get install -qq --yes --no-install-recommends "${missing[@]}"
  } >"$log/apt.log" 2>&1 || cannot "apt-get does not install ${missing[*]} ($log/apt.log)"
}

write_configuration() {
  local i storage=accounting_storage/none
  ((accounting)) && storage=accounting_storage/slurmdbd
  [[ -s $etc/munge.key ]] || (umask 077 && head -c 128 /dev/urandom >"$etc/munge.key")
  cat >"$etc/slurm.conf.new" <<CONF
ClusterName=bench
SlurmctldHost=$(hostname -s)($network.1)
SlurmctldPort=$port
SlurmdPort=$((port + 1))
SlurmUser=root
AuthType=auth/munge
# cred_expire is also how long a requeued job waits.
AuthInfo=socket=$run/munge.socket,cred_expire=10
SlurmctldPidFile=$run/slurmctld.pid
SlurmctldLogFile=$log/slurmctld.log
StateSaveLocation=$state/controller
SlurmdPidFile=$run/slurmd.%n.pid
SlurmdLogFile=$log/slurmd.%n.log
SlurmdSpoolDir=$state/%n
# Nodes have what is said below, and not what slurmd finds.
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=5
MpiDefault=none
MailProg=/bin/true
ReturnToService=2
SlurmdTimeout=30
MessageTimeout=60
InactiveLimit=0
MinJobAge=3600
MaxArraySize=$max_array
JobRequeue=1
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=2,sched_interval=2,batch_sched_delay=0,sched_min_interval=0
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
DefMemPerCPU=500
GresTypes=gpu
AccountingStorageType=$storage
CONF
  if ((accounting)); then
    printf '%s\n' AccountingStorageHost=127.0.0.1 "AccountingStoragePort=$((port + 2))" \
      "AccountingStoragePass=$run/munge.socket" AccountingStorageTRES=gres/gpu
  fi >>"$etc/slurm.conf.new"
  : >"$etc/gres.conf"
  for ((i = 1; i <= nodes; i++)); do
    echo "NodeName=node$i NodeAddr=$network.$((10 + i)) Sockets=1 CoresPerSocket=$cpus" \
      "ThreadsPerCore=1 RealMemory=6000 Gres=gpu:$gpus State=UNKNOWN" >>"$etc/slurm.conf.new"
    echo "NodeName=node$i Name=gpu File=$state/node$i/gpu[0-$((gpus - 1))]" \
      "Flags=nvidia_gpu_env" >>"$etc/gres.conf"
    make_node "$i"
  done
  echo "PartitionName=gpu Nodes=node[1-$nodes] Default=YES MaxTime=60 DefaultTime=10 State=UP" \
    >>"$etc/slurm.conf.new"
  echo "CgroupAutomount=no" >"$etc/cgroup.conf"
  if ! cmp -s "$etc/slurm.conf.new" "$etc/slurm.conf"; then
    stop "$run/slurmctld.pid" # which reads some of it only as it starts
    mv "$etc/slurm.conf.new" "$etc/slurm.conf"
  fi
  rm -f "$etc/slurm.conf.new"
}

mount_disks() {
  mkdir -p "$root/shared" "$root/small" "$root/read-only"
  mountpoint -q "$root/small" || mount -t tmpfs -o size=128k,mode=1777 none "$root/small"
  mountpoint -q "$root/read-only" || mount -t tmpfs -o ro,size=4k none "$root/read-only"
}

make_node() { # NUMBER: its folder, GPUs and network
  local i=$1 n g space=bench$number-node$1 link=bench$number-$1
  install -d -m 1777 "$state/node$i/tmp"
  for ((g = 0; g < gpus; g++)); do # SLURM wants device files: these are /dev/null
    [[ -c $state/node$i/gpu$g ]] || mknod -m 666 "$state/node$i/gpu$g" c 1 3
  done
  {
    echo "127.0.0.1 localhost"
    echo "$network.1 $(hostname -s)"
    for ((n = 1; n <= nodes; n++)); do echo "$network.$((10 + n)) node$n"; done
  } >"$state/node$i/hosts"
  [[ ! -e /run/netns/$space ]] || return 0
  ip netns add "$space"
  ip link add "$link" type veth peer name eth0 netns "$space"
  ip link set "$link" master "$bridge" up
  ip -n "$space" addr add "$network.$((10 + i))/24" dev eth0
  ip -n "$space" link set lo up
  ip -n "$space" link set eth0 up
}

start_node() { # NUMBER; its file in run/ has the process whose end is that of the whole node
  local space=bench$number-node$1
  alive "$run/node$1.pid" && return 0
  rm -f "$run/slurmd.node$1.pid"
  find "$state/node$1/tmp" -mindepth 1 -delete 2>/dev/null || true # as at boot
  # shellcheck disable=SC2016 # expanded inside
  setsid nsenter --net="/run/netns/$space" \
    unshare --pid --fork --kill-child --mount-proc --uts bash -euc '
      node=$1 state=$2 conf=$3; shift 3
      hostname "$node"
      mount --bind "$state/$node/hosts" /etc/hosts
      mount -t tmpfs -o mode=1777 shm /dev/shm
      for folder; do # below /tmp, and shared by all nodes
        mkdir -p "$state/$node/tmp/${folder#/tmp/}"
        mount --rbind "$folder" "$state/$node/tmp/${folder#/tmp/}"
      done
      mount --rbind "$state/$node/tmp" /tmp
      slurmd -D -f "$conf" -N "$node" &
      trap "kill $!" TERM
      wait || true # for the signal
      wait' node "node$1" "$state" "$etc/slurm.conf" "${shared[@]}" \
    </dev/null >"$log/node$1.log" 2>&1 &
  echo $! >"$run/node$1.pid"
}

sql() { mariadb --no-defaults -S "$run/mysql/socket" -e "$1"; }

start_accounting() {
  local data=$state/mariadb
  if ! alive "$run/mysql/pid"; then
    install -d -o mysql "$data" "$run/mysql"
    [[ -d $data/mysql ]] || mariadb-install-db --no-defaults --user=mysql --datadir="$data" \
      --auth-root-authentication-method=socket --skip-test-db >"$log/mariadb.log" 2>&1
    setsid mariadbd --no-defaults --user=mysql --datadir="$data" --socket="$run/mysql/socket" \
      --pid-file="$run/mysql/pid" --bind-address=127.0.0.1 --port=$((port + 3)) --skip-log-bin \
      --innodb-flush-log-at-trx-commit=0 --innodb-lock-wait-timeout=900 \
      </dev/null >>"$log/mariadb.log" 2>&1 &
    wait_for sql 'select 1'
    sql "create database if not exists slurm;
         grant all on slurm.* to slurm@'127.0.0.1' identified by 'slurm'"
  fi
  (
    umask 077
    printf '%s\n' "DbdHost=$(hostname -s)" DbdAddr=127.0.0.1 "DbdPort=$((port + 2))" \
      SlurmUser=root AuthType=auth/munge "AuthInfo=$run/munge.socket" \
      "LogFile=$log/slurmdbd.log" "PidFile=$run/slurmdbd.pid" \
      StorageType=accounting_storage/mysql StorageHost=127.0.0.1 "StoragePort=$((port + 3))" \
      StorageUser=slurm StoragePass=slurm StorageLoc=slurm >"$etc/slurmdbd.conf"
  )
  alive "$run/slurmdbd.pid" && return 0
  slurmdbd
  wait_for sacctmgr -n -i show cluster
  [[ -n $(sacctmgr -n show cluster bench) ]] || sacctmgr -iQ add cluster bench >/dev/null
  [[ -n $(sacctmgr -n show account bench) ]] || {
    sacctmgr -iQ add account bench >/dev/null
    sacctmgr -iQ add user root account=bench >/dev/null
  }
}

node_is_up() { # NUMBER
  [[ -n $(sinfo -h -n "node$1" -t idle,mix,alloc -o %N) ]]
}

up() {
  local i
  ((EUID == 0)) || cannot "needs root"
  mkdir -p "$etc" "$run" "$log" "$state/controller"
  chmod 755 "$root" "$etc" "$run" "$log" "$state"
  install_packages
  unshare --pid --fork --mount-proc --uts true 2>/dev/null || cannot "no namespaces (unshare fails)"
  ip link show "$bridge" >/dev/null 2>&1 || {
    ip link add "$bridge" type bridge 2>/dev/null || cannot "no network bridge (ip link add fails)"
    ip addr add "$network.1/24" dev "$bridge"
    ip link set "$bridge" up
  }
  [[ ! -c /dev/fuse ]] || chmod 666 /dev/fuse # as a cluster has it: images are mounted by users
  mount_disks
  write_configuration
  export SLURM_CONF=$etc/slurm.conf
  if ! alive "$run/munged.pid"; then
    rm -f "$run"/munge.socket*
    munged --key-file="$etc/munge.key" --socket="$run/munge.socket" --pid-file="$run/munged.pid" \
      --log-file="$log/munged.log" --seed-file="$run/munged.seed"
  fi
  wait_for munge -n -S "$run/munge.socket"
  ((!accounting)) || start_accounting
  alive "$run/slurmctld.pid" || slurmctld -f "$SLURM_CONF"
  wait_for scontrol ping
  for ((i = 1; i <= nodes; i++)); do start_node "$i"; done
  for ((i = 1; i <= nodes; i++)); do wait_for node_is_up "$i"; done
}

nothing_runs() { [[ -z $(squeue -h) ]]; }

down() {
  local file space
  if alive "$run/slurmctld.pid"; then # jobs end before their nodes do
    export SLURM_CONF=$etc/slurm.conf
    squeue -h -o %A | sort -u | xargs -r timeout 10 scancel || true
    wait_for nothing_runs || true
  fi
  for file in "$run"/node*.pid; do
    alive "$file" && kill -9 "$(<"$file")"
  done
  stop "$run/slurmctld.pid" "$run/slurmdbd.pid" "$run/mysql/pid" "$run/munged.pid"
  for space in /run/netns/bench"$number"-node*; do
    [[ ! -e $space ]] || ip netns del "${space##*/}"
  done
  ip link del "$bridge" 2>/dev/null || true
  for file in "$root/small" "$root/read-only"; do
    mountpoint -q "$file" && umount "$file"
  done
  rm -rf "$root"
}

case "${1:-}" in
  up) up ;;
  down) down ;;
  env) echo "export SLURM_CONF=$etc/slurm.conf" ;;
  node-fail)
    ip link set "bench$number-$2" down # nothing says to the others that it is gone
    kill -9 "$(<"$run/node$2.pid")"
    rm -f "$run/node$2.pid" "$run/slurmd.node$2.pid"
    ;;
  node-restore)
    export SLURM_CONF=$etc/slurm.conf
    ip link set "bench$number-$2" up
    start_node "$2"
    wait_for node_is_up "$2"
    ;;
  *) sed -n '2,/^set/{/^set/d;s/^# \?//p}' "$0" && exit 2 ;;
esac
