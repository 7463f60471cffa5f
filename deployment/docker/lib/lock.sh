# shellcheck shell=bash
# One import at a time, without flock(1). Sourced; needs bash and coreutils.
#
# The lock is a file that its holder keeps open as descriptor 9. Children inherit the descriptor, so
# a docker command that outlives a killed import still holds the lock, and nothing else does.

# lock_holder FILE: the number of a process that holds the lock open.
lock_holder() {
    local descriptor process
    for descriptor in /proc/[0-9]*/fd/9; do
        process="${descriptor#/proc/}"
        process="${process%%/*}"
        if [[ "$process" != "$BASHPID" && "$process" != "$$" && "$descriptor" -ef "$1" ]]; then
            printf '%s' "$process"
            return 0
        fi
    done
    return 1
}

# take_lock FILE: hold it until this process and its children end.
take_lock() {
    local lock="$1" holder waited=0
    exec 9>"$lock.$$"
    until ln -- "$lock.$$" "$lock" 2>/dev/null; do
        if holder="$(lock_holder "$lock")"; then
            if [[ "$(cat "$lock" 2>/dev/null)" == "$holder" ]]; then
                rm -f -- "$lock.$$"
                fail "process $holder is importing or rolling back here; wait for it"
            fi
            ((waited > 0)) || say "waiting for a command that a killed import left running (process $holder)"
            waited=$((waited + 1))
            if ((waited > 600)); then
                rm -f -- "$lock.$$"
                fail "process $holder of a killed import does not end; stop it and try again"
            fi
            sleep 1
        else
            # Its holder was killed. Whoever renames it removes it; the other finds it gone.
            mv -- "$lock" "$lock.$$.stale" 2>/dev/null && rm -f -- "$lock.$$.stale"
        fi
    done
    printf '%s' "$$" >&9
    rm -f -- "$lock.$$"
}

release_lock() { rm -f -- "$1"; }
