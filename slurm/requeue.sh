# shellcheck shell=bash
# Sourced by the batch scripts: one cell of a plan, and what becomes of the job when it leaves it.
#
# SLURM sends the script USR1 some time before the time limit, or TERM when it takes the node away.
# bench is told, writes what it has and exits with status 75: the same command goes on with the
# cell. Then the job puts itself back into the queue.

plan=${1:?the plan is missing: sbatch --array=0-N [OPTION...] SCRIPT PLAN}
index=${SLURM_ARRAY_TASK_ID:?not a task of an array: give sbatch --array=0-N, or --array=3 for line 3}
# Not SLURM_JOB_ID: one task of an array has the array's own, and requeueing that is requeueing all.
job=${SLURM_ARRAY_JOB_ID}_$index
export BENCH_RESULTS=${BENCH_RESULTS:-results}

LEFT=75         # bench's exit status for a cell that the same command goes on with
MOST_STARTS=20  # of a job; then something is wrong that another start does not mend

if [[ -n ${BENCH_MODULES:-} ]]; then
  set +eu # the site's code, not ours
  command -v module >/dev/null || source /etc/profile # it has it, where a batch shell has not
  # shellcheck disable=SC2086 # several, with spaces between
  if ! module load $BENCH_MODULES; then
    echo "$job: cannot load the modules: $BENCH_MODULES" >&2
    exit 2
  fi
  set -eu
fi

bench='' told='' woken=''
tell() { # SIGNAL
  told=$1 woken=yes
  echo "$job on $HOSTNAME: told to end ($1)"
  [[ -z $bench ]] || kill -s "$1" "$bench" 2>/dev/null || true
}
trap 'tell USR1' USR1
trap 'tell TERM' TERM

steps_done() { # of the cell, in all its starts
  local key
  key=$(sed -nE "$((index + 1))s/.*\"key\": *\"([^\"]+)\".*/\1/p" "$plan")
  cat "$BENCH_RESULTS"/*/"$key.jsonl" 2>/dev/null | grep -c '"event":"report"' || true
}

# Runs the cell; its status is that of bench, and LEFT if it was told to end before it could begin.
run_cell() {
  local status
  steps_before=$(steps_done)
  [[ -z $told ]] || return "$LEFT"
  slurm/bench run --plan "$plan" --index "$index" &
  bench=$!
  woken=yes
  while [[ -n $woken ]]; do # a signal ends `wait`, too
    woken='' status=0
    wait "$bench" || status=$?
  done
  if [[ -n $told ]] && ((status > 128)); then # the signal came before bench listened
    status=$LEFT
  fi
  return "$status"
}

# Ends the job with the status, after it has put itself back into the queue if the cell was left.
end_job() { # STATUS
  local state
  (($1 == LEFT)) || exit "$1"
  state=$(scontrol --oneliner show job "$job" | grep -oE 'JobState=[A-Z]+' || true)
  if [[ $state != JobState=RUNNING ]]; then
    echo "$job: left the cell, and is not requeued: SLURM is ending the job (${state#*=})"
  elif ((${SLURM_RESTART_COUNT:-0} + 1 >= MOST_STARTS)); then
    echo "$job: left the cell, and is not requeued: this was its start number $MOST_STARTS"
  elif [[ $told == USR1 ]] && (($(steps_done) <= steps_before)); then
    echo "$job: left the cell, and is not requeued: no step of it was done since this start;" \
      "give it more time (sbatch --time)"
  else
    echo "$job: left the cell, goes back into the queue"
    scontrol requeue "$job"
  fi
  exit "$LEFT"
}
