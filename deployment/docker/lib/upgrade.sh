# shellcheck shell=bash
# From one release to another and back. Sourced by import and rollback.

# bring_up RELEASE: its files, schema, containers, health, and one real question.
bring_up() {
    step switch switch_files "$1"
    configure
    local missing
    missing="$(image_missing)"
    [[ -z "$missing" ]] || fail "these images are not on this host: ${missing}- import a bundle that holds them"
    step prepare compose run --rm --no-deps -T prepare
    # One writer: the old server lets go of the database before its schema changes.
    step stop-writer compose stop chat-backend
    [[ -z "${restore_from:-}" ]] || step restore restore_backup "$restore_from"
    : >"$state/pending/migrating"
    step migrate compose run --rm --no-deps -T migrate
    step up start_stack
    self_test
}

# configure: a first install takes its settings from deployment-config.json where there is one.
configure() {
    local file
    [[ -z "$(remembered release)" && -f "$install/apply-config.sh" ]] || return 0
    for file in "$install/deployment-config.local.json" "$install/deployment-config.json"; do
        [[ -f "$file" ]] || continue
        say "applying $file"
        (cd "$install" && bash apply-config.sh "$file")
        return 0
    done
}

self_test() {
    local outside=''
    [[ "$(setting USE_HOST_MODEL)" == false ]] || outside="$(setting MODEL_PATH)"
    if [[ -z "$(setting LLM_API_URL)$outside" ]] && ! has_chat_model; then
        warn "no question was asked: there is no chat model in $(models_place)/chat and no LLM_API_URL"
        return 0
    fi
    say 'asking a model one real question'
    step selftest compose exec -T chat-backend atoll-chat selftest
}

has_chat_model() { compgen -G "$(models_place)/chat/*/*" >/dev/null; }

# commit RELEASE: from here on it is the installed one.
commit() {
    local current
    current="$(remembered release)"
    if [[ -n "$current" && "$current" != "$1" && ! -f "$state/pending/going-back" ]]; then
        remember "releases/$1.previous" "$current"
    fi
    if [[ -f "$state/pending/backup" ]]; then cp -- "$state/pending/backup" "$state/releases/$1.backup"; fi
    if [[ -n "${public_key:-}" ]]; then replace_file "$state/public-key.pub" <"$public_key"; fi
    remember release "$1"
    rm -rf -- "$state/pending"
    journal commit "$1"
}

# roll_back_pending: an upgrade that was begun and not committed is undone; the release before it
# serves again. Rows written by the unfinished release are kept unless its migration is breaking.
roll_back_pending() {
    local current wanted status=0 backup
    current="$(remembered release)"
    wanted="$(remembered pending/release)"
    journal roll-back "$wanted"
    if [[ -z "$current" ]]; then
        warn "release $wanted did not come up; it was the first one here, so nothing serves. Its containers are taken down; \
data stays in $(data_folder)"
        compose down --remove-orphans || true
        switch_back
        rm -rf -- "$state/pending"
        return 0
    fi
    warn "release $wanted did not come up; going back to $current"
    backup="$(remembered pending/backup)"
    if [[ -f "$state/pending/migrating" && ! -f "$state/pending/going-back" ]]; then
        compose stop chat-backend || true
        (rollback_check "$current" "$backup") || status=$?
    fi
    switch_back
    if ((status == 3)) && [[ -n "$backup" ]]; then
        warn "its migration is breaking: the database of $current is restored from $backup"
        restore_backup "$backup"
    fi
    if start_stack; then
        rm -rf -- "$state/pending"
        say "release $current serves again"
    else
        fail "release $current did not come up either; its logs are above. Data and backup ($backup) are untouched"
    fi
}

# --- backups ---------------------------------------------------------------------------------

# back_up: one archive per upgrade, made while the old release serves and before the schema changes.
back_up() {
    local current archive
    current="$(remembered release)"
    [[ -n "$current" && "$current" != "$release" ]] || return 0
    if [[ -f "$state/pending/migrating" && -s "$state/pending/backup" ]]; then return 0; fi
    archive="$(data_folder)/backups"
    # The data folder may belong to the containers' user alone.
    mkdir -p -- "$archive" 2>/dev/null || archive="$install/backups"
    archive+="/before-$release-$(date --utc +%Y%m%dT%H%M%SZ).tar"
    say "backing up the data of release $current"
    bash "$install/deployment/docker/backup.sh" "$archive"
    printf '%s\n' "$archive" | replace_file "$state/pending/backup"
}

restore_backup() { bash "$install/deployment/docker/restore.sh" --yes --no-start "$1"; }

# rollback_check RELEASE BACKUP: may that release run on the present schema? Asked of the installed,
# newer image: 0 yes, 3 no (with a BACKUP it prints the rows that would go).
rollback_check() {
    local name value revision='' input=/dev/null command=(atoll-chat rollback-check)
    while read -r name value; do
        if [[ "$name" == release ]]; then revision="$value"; fi
    done < <(docker run --rm --network none --read-only "atoll/chat-backend:$1" atoll-chat schema)
    [[ -n "$revision" ]] || fail "atoll/chat-backend:$1 does not say which schema it needs"
    command+=("$revision")
    if [[ -f "$2" ]]; then
        command+=(--backup -)
        input="$2"
    fi
    compose run --rm --no-deps -T migrate "${command[@]}" <"$input"
}
