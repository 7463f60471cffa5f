// Generated from openapi/openapi.json by `npm run api:generate`. Do not edit.

export interface paths {
    "/api/admin/settings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read Settings
         * @description The settings in force.
         */
        get: operations["read_settings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Change Settings
         * @description Change settings; they win over the environment.
         */
        patch: operations["change_settings"];
        trace?: never;
    };
    "/api/admin/users": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Users
         * @description Users, the newest first.
         */
        get: operations["list_users"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/admin/users/{user_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Change User
         * @description Approve, suspend, promote or demote a user.
         */
        patch: operations["change_user"];
        trace?: never;
    };
    "/api/auth/api-keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Api Keys
         * @description The user's API keys, without their secrets.
         */
        get: operations["list_api_keys"];
        put?: never;
        /**
         * Create Api Key
         * @description Make an API key. `key` is shown this once.
         */
        post: operations["create_api_key"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/api-keys/{key_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Revoke Api Key
         * @description Revoke an API key; it stops working at once.
         */
        delete: operations["revoke_api_key"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/login": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Log In
         * @description Sign in: sets the session cookie and gives the CSRF token.
         */
        post: operations["log_in"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/logout": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Log Out
         * @description Sign out: ends this session.
         */
        post: operations["log_out"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Me
         * @description The user who is signed in.
         */
        get: operations["me"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/password": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Change Password
         * @description Change the password. Other sessions end, and this one gets a new cookie and CSRF token.
         */
        post: operations["change_password"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/register": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Register
         * @description Make an account. It starts no session.
         */
        post: operations["register"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Sessions
         * @description The browsers in which the user is signed in.
         */
        get: operations["list_sessions"];
        put?: never;
        post?: never;
        /**
         * Revoke Other Sessions
         * @description Sign every other browser out.
         */
        delete: operations["revoke_other_sessions"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/sessions/{session_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Revoke Session
         * @description Sign one browser out.
         */
        delete: operations["revoke_session"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/config": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Config
         * @description What a page must know before anybody signs in.
         */
        get: operations["get_config"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/conversations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Conversations
         * @description Your conversations, the newest activity first.
         */
        get: operations["list_conversations"];
        put?: never;
        /**
         * Create Conversation
         * @description Begin a conversation.
         */
        post: operations["create_conversation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/conversations/{conversation_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Conversation
         * @description One conversation.
         */
        get: operations["get_conversation"];
        put?: never;
        post?: never;
        /**
         * Delete Conversation
         * @description Delete a conversation with its messages. An answer being written is stopped.
         */
        delete: operations["delete_conversation"];
        options?: never;
        head?: never;
        /**
         * Change Conversation
         * @description Rename a conversation, or let another model go on with it.
         */
        patch: operations["change_conversation"];
        trace?: never;
    };
    "/api/conversations/{conversation_id}/messages": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Messages
         * @description Messages in the order of time. The first page ends with the newest one.
         */
        get: operations["list_messages"];
        put?: never;
        /**
         * Send Message
         * @description Ask. The answer is written by the run, whether or not anybody watches its events.
         */
        post: operations["send_message"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/conversations/{conversation_id}/messages/{message_id}/regenerate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Regenerate Answer
         * @description Another answer to the same question, beside the answer `message_id`.
         */
        post: operations["regenerate_answer"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/files": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Files
         * @description The user's files, the newest first.
         */
        get: operations["list_files"];
        put?: never;
        /**
         * Upload File
         * @description Store one file, sent as the field `file` of a multipart form.
         */
        post: operations["upload_file"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/files/{file_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get File
         * @description What is known of a file.
         */
        get: operations["get_file"];
        put?: never;
        post?: never;
        /**
         * Delete File
         * @description Delete a file for good.
         */
        delete: operations["delete_file"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/files/{file_id}/content": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get File Content
         * @description The bytes of a file, as an attachment. Ranges are served.
         */
        get: operations["get_file_content"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Health
         * @description 200 while this service can do its work, else 503.
         */
        get: operations["get_health"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/jobs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Jobs
         * @description The user's jobs, the newest first.
         */
        get: operations["list_jobs"];
        put?: never;
        /**
         * Create Job
         * @description Work on a file in the background. The result is a file of yours, when the job is complete.
         */
        post: operations["create_job"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/jobs/{job_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Job
         * @description One job.
         */
        get: operations["get_job"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/jobs/{job_id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Cancel Job
         * @description End the job; nothing of its result is kept. A finished job stays as it is.
         */
        post: operations["cancel_job"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/jobs/{job_id}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Follow Job
         * @description How the job stands, as it changes. A reader that was away gets the newest state.
         */
        get: operations["follow_job"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/models": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Models
         * @description The models that can answer in a conversation, the default one first.
         */
        get: operations["list_models"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/models/{model_id}/card": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Card
         * @description The card of a model of this server: what it was made from, and how well it does.
         */
        get: operations["get_card"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/runs/{run_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Run
         * @description One run.
         */
        get: operations["get_run"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/runs/{run_id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Cancel Run
         * @description Stop the run; the text so far is kept. A finished run stays as it is.
         */
        post: operations["cancel_run"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/runs/{run_id}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Follow Run
         * @description The events of the run as they happen, those of the past first.
         */
        get: operations["follow_run"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/slots": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Slots
         * @description Every slot with its checkpoints, their state and memory, and how to fill an empty one.
         */
        get: operations["list_slots"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/status": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Status
         * @description Whether everything works; with a credential also each service and each model.
         */
        get: operations["get_status"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/usage": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Usage
         * @description Your requests and tokens by day and model, the newest day first.
         */
        get: operations["list_usage"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/inference/audio_deepfake": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Judge whether a voice is synthetic */
        post: operations["audio_deepfake"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/inference/audio_denoising": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Remove noise from a recording of speech */
        post: operations["audio_denoising"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/inference/emotion_detection": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Judge the emotion of a text */
        post: operations["emotion_detection"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/inference/face_deepfake": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Judge whether faces in a picture are synthetic */
        post: operations["face_deepfake"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/inference/speech_recognition": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Write down what is said in a recording */
        post: operations["speech_recognition"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/inference/text_summarization": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Shorten a text */
        post: operations["text_summarization"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/inference/video_enhancement": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Double the width and height of a picture or a video */
        post: operations["video_enhancement"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/audio/transcriptions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Create Transcription
         * @description Write down what is said in a recording.
         */
        post: operations["create_transcription"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/chat/completions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Complete Chat
         * @description A chat completion, whole or streamed, in OpenAI's shapes.
         */
        post: operations["complete_chat"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/embeddings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Create Embeddings
         * @description Turn texts into vectors.
         */
        post: operations["create_embeddings"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/models": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Openai Models
         * @description Every model that can be named, with `state`, `kind` and, for local ones, `bytes`.
         */
        get: operations["list_openai_models"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/models/{model_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Openai Model
         * @description One model.
         */
        get: operations["get_openai_model"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/models/{model}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Model
         * @description One model, by id or alias.
         */
        get: operations["get_model"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/ocr": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Read Text
         * @description Read the text in a picture.
         */
        post: operations["read_text"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/rerank": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Rerank
         * @description Order documents by how well they answer a query.
         */
        post: operations["rerank"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v2/health/live": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Health Live
         * @description The process answers.
         */
        get: operations["health_live"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v2/health/ready": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Health Ready
         * @description 200 when the preloaded models are loaded, have answered, and make progress; else 503.
         */
        get: operations["health_ready"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v2/models/{model}/ready": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Model Ready
         * @description 200 when this model is loaded and makes progress, 503 when not, 404 when unknown.
         */
        get: operations["model_ready"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v2/repository/index": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Repository Index
         * @description Look at the models folder and list what is there.
         */
        post: operations["repository_index"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v2/repository/models/{model}/load": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Load Model
         * @description Load a model and answer when it is ready; with `Accept: text/event-stream`, tell progress.
         */
        post: operations["load_model"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v2/repository/models/{model}/unload": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Unload Model
         * @description Let running requests finish and free the model's memory. The next request loads it again.
         */
        post: operations["unload_model"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /**
         * Accepted
         * @description The message that was stored, and the run that writes the answer.
         */
        Accepted: {
            message: components["schemas"]["Message"];
            run: components["schemas"]["Run"];
        };
        /**
         * AccountSettings
         * @description Settings that administrators change at run time.
         */
        AccountSettings: {
            /**
             * Registration
             * @enum {string}
             */
            registration: "open" | "approval" | "closed";
        };
        /**
         * AdminUser
         * @description A person, as administrators see them.
         */
        AdminUser: {
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /** Id */
            id: string;
            /** Last Login At */
            last_login_at: string | null;
            /** Must Change Password */
            must_change_password: boolean;
            /**
             * Role
             * @enum {string}
             */
            role: "admin" | "user";
            /**
             * Status
             * @enum {string}
             */
            status: "active" | "pending" | "suspended";
            /** Username */
            username: string;
        };
        /**
         * AnswerMessage
         * @description What the model said.
         */
        AnswerMessage: {
            /** Content */
            content: string;
            /**
             * Role
             * @default assistant
             */
            role?: string;
        };
        /**
         * ApiKey
         * @description A key, without the secret part.
         */
        ApiKey: {
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /** Expires At */
            expires_at: string | null;
            /** Id */
            id: string;
            /** Last Used At */
            last_used_at: string | null;
            /** Name */
            name: string;
            /**
             * Prefix
             * @description How the key begins, to tell one from another.
             */
            prefix: string;
            /** Scopes */
            scopes: components["schemas"]["Scope"][];
        };
        /**
         * ApiKeys
         * @description Every key of the user, the newest first.
         */
        ApiKeys: {
            /** Items */
            items: components["schemas"]["ApiKey"][];
        };
        /** AudioDeepfakeAnswer */
        AudioDeepfakeAnswer: {
            /** Model */
            model: string;
            result: components["schemas"]["AudioDeepfakeOut"];
            /** Task */
            task: string;
            timings: components["schemas"]["TimingsOut"];
        };
        /**
         * AudioDeepfakeOut
         * @description Whether the recording is synthetic.
         */
        AudioDeepfakeOut: {
            /**
             * Label
             * @enum {string}
             */
            label: "real" | "fake";
            /**
             * Score
             * @description How likely it is fake, 0 to 1.
             */
            score: number;
            /** Scores */
            scores: {
                [key: string]: number;
            };
            /** Windows */
            windows: components["schemas"]["WindowOut"][];
        };
        /** AudioDenoisingAnswer */
        AudioDenoisingAnswer: {
            /** Model */
            model: string;
            result: components["schemas"]["DenoiseOut"];
            /** Task */
            task: string;
            timings: components["schemas"]["TimingsOut"];
        };
        /**
         * BatchAnswer
         * @description Answer to `inputs`: in order, each with `result` and `timings` or with its own `error`.
         */
        BatchAnswer: {
            /** Model */
            model: string;
            /** Results */
            results: {
                [key: string]: unknown;
            }[];
            /** Task */
            task: string;
        };
        /**
         * Cancelled
         * @description How many requests were ended.
         */
        Cancelled: {
            /** Cancelled */
            cancelled: number;
        };
        /**
         * CancelRequest
         * @description Whose requests to end: of an account, of an API key, or of both.
         */
        CancelRequest: {
            /** Key */
            key?: string | null;
            /** User */
            user?: string | null;
        };
        /**
         * CardText
         * @description What is told of a model by whoever made it.
         */
        CardText: {
            /** Model */
            model: string;
            /**
             * Text
             * @description Markdown.
             */
            text: string;
            /** Truncated */
            truncated: boolean;
        };
        /**
         * ChangePassword
         * @description The password as it is and as it shall be.
         */
        ChangePassword: {
            /** Current Password */
            current_password: string;
            /** New Password */
            new_password: string;
        };
        /**
         * ChangeSettings
         * @description What an administrator changes; absent means unchanged.
         */
        ChangeSettings: {
            /** Registration */
            registration?: ("open" | "approval" | "closed") | null;
        };
        /**
         * ChangeUser
         * @description What an administrator changes; absent means unchanged.
         */
        ChangeUser: {
            /** Role */
            role?: ("admin" | "user") | null;
            /** Status */
            status?: ("active" | "pending" | "suspended") | null;
        };
        /**
         * ChatCompletion
         * @description A complete answer in OpenAI's form.
         */
        ChatCompletion: {
            /** Choices */
            choices: components["schemas"]["Choice"][];
            /** Created */
            created: number;
            /** Id */
            id: string;
            /** Model */
            model: string;
            /**
             * Object
             * @default chat.completion
             */
            object?: string;
            usage: components["schemas"]["Usage2"];
        };
        /**
         * ChatCompletionRequest
         * @description A request in OpenAI's form. Fields that are not listed are accepted and have no effect.
         */
        ChatCompletionRequest: {
            /** Frequency Penalty */
            frequency_penalty?: number | null;
            /** Max Completion Tokens */
            max_completion_tokens?: number | null;
            /**
             * Max Tokens
             * @description Most tokens in the answer.
             */
            max_tokens?: number | null;
            /** Messages */
            messages: components["schemas"]["Message2"][];
            /**
             * Model
             * @description A model id or alias; absent is the default.
             */
            model?: string | null;
            /**
             * N
             * @description One answer a request.
             * @default 1
             */
            n?: 1 | null;
            /** Presence Penalty */
            presence_penalty?: number | null;
            response_format?: components["schemas"]["ResponseFormat"] | null;
            /** Seed */
            seed?: number | null;
            /** Stop */
            stop?: string | string[] | null;
            /**
             * Stream
             * @default false
             */
            stream?: boolean | null;
            stream_options?: components["schemas"]["StreamOptions"] | null;
            /** Temperature */
            temperature?: number | null;
            /** Top P */
            top_p?: number | null;
        } & {
            [key: string]: unknown;
        };
        /**
         * Choice
         * @description The one answer.
         */
        Choice: {
            /** Finish Reason */
            finish_reason: string;
            /**
             * Index
             * @default 0
             */
            index?: number;
            message: components["schemas"]["AnswerMessage"];
        };
        /**
         * Config
         * @description What a page must know before anybody signs in.
         */
        Config: {
            /** Max Message Chars */
            max_message_chars: number;
            /** Password Min Length */
            password_min_length: number;
            /**
             * Registration
             * @enum {string}
             */
            registration: "open" | "approval" | "closed";
            /** Version */
            version: string;
        };
        /**
         * Conversation
         * @description A dialogue. `model` is null while the default model answers.
         */
        Conversation: {
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /** Id */
            id: string;
            /** Model */
            model: string | null;
            /** Title */
            title: string;
            /**
             * Updated At
             * Format: date-time
             */
            updated_at: string;
        };
        /**
         * ConversationCreate
         * @description A new conversation. Without a title, its first message gives it one.
         */
        ConversationCreate: {
            /** Model */
            model?: string | null;
            /** Title */
            title?: string | null;
        };
        /**
         * ConversationPage
         * @description Conversations, the newest activity first.
         */
        ConversationPage: {
            /** Items */
            items: components["schemas"]["Conversation"][];
            /** Next Cursor */
            next_cursor?: string | null;
        };
        /**
         * ConversationPatch
         * @description What to change. `model: null` goes back to the default model.
         */
        ConversationPatch: {
            /** Model */
            model?: string | null;
            /** Title */
            title?: string;
        };
        /**
         * CreateApiKey
         * @description A key for programs.
         */
        CreateApiKey: {
            /**
             * Expires In Days
             * @description Days until it expires; null for never.
             */
            expires_in_days?: number | null;
            /** Name */
            name: string;
            /**
             * Scopes
             * @description What the key is good for; `admin` only for administrators.
             * @default [
             *       "inference",
             *       "conversations"
             *     ]
             */
            scopes?: components["schemas"]["Scope"][];
        };
        /**
         * CreatedApiKey
         * @description A new key with its secret, which is shown this once.
         */
        CreatedApiKey: {
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /** Expires At */
            expires_at: string | null;
            /** Id */
            id: string;
            /** Key */
            key: string;
            /** Last Used At */
            last_used_at: string | null;
            /** Name */
            name: string;
            /**
             * Prefix
             * @description How the key begins, to tell one from another.
             */
            prefix: string;
            /** Scopes */
            scopes: components["schemas"]["Scope"][];
        };
        /**
         * DailyUsage
         * @description What one model did for you on one day (UTC).
         */
        DailyUsage: {
            /** Completion Tokens */
            completion_tokens: number;
            /** Day */
            day: string;
            /** Model */
            model: string;
            /** Prompt Tokens */
            prompt_tokens: number;
            /** Requests */
            requests: number;
        };
        /**
         * DenoiseOut
         * @description The cleaned recording.
         */
        DenoiseOut: {
            /**
             * Audio
             * @description A 16-bit PCM WAV file in base64.
             */
            audio: string;
            /**
             * Duration
             * @description In seconds.
             */
            duration: number;
            /**
             * Model Sample Rate
             * @description What the model heard; higher tones are lost.
             */
            model_sample_rate: number;
            /**
             * Sample Rate
             * @description The same as of the input, in Hz.
             */
            sample_rate: number;
        };
        /**
         * Document
         * @description A document as an object; other fields of it have no effect.
         */
        Document: {
            /** Text */
            text: string;
        } & {
            [key: string]: unknown;
        };
        /**
         * EmbeddingItem
         * @description One vector; `truncated` says that the end of the text was not read.
         */
        EmbeddingItem: {
            /**
             * Embedding
             * @description Numbers, or little-endian 32-bit floats in base64.
             */
            embedding: number[] | string;
            /** Index */
            index: number;
            /**
             * Object
             * @default embedding
             * @constant
             */
            object?: "embedding";
            /** Truncated */
            truncated: boolean;
        };
        /**
         * Embeddings
         * @description Vectors in the order of the texts.
         */
        Embeddings: {
            /** Data */
            data: components["schemas"]["EmbeddingItem"][];
            /** Model */
            model: string;
            /**
             * Object
             * @default list
             * @constant
             */
            object?: "list";
            usage: components["schemas"]["EmbeddingsUsage"];
        };
        /**
         * EmbeddingsRequest
         * @description Texts to turn into vectors. Fields that are not listed have no effect.
         */
        EmbeddingsRequest: {
            /**
             * Dimensions
             * @description Keep the first so many numbers of each vector.
             */
            dimensions?: number | null;
            /**
             * Encoding Format
             * @default float
             */
            encoding_format?: ("float" | "base64") | null;
            /**
             * Input
             * @description One text or several. Token numbers are not taken.
             */
            input: string | string[] | number[] | number[][];
            /** Model */
            model?: string | null;
        } & {
            [key: string]: unknown;
        };
        /**
         * EmbeddingsUsage
         * @description Tokens read.
         */
        EmbeddingsUsage: {
            /** Prompt Tokens */
            prompt_tokens: number;
            /** Total Tokens */
            total_tokens: number;
        };
        /** EmotionDetectionAnswer */
        EmotionDetectionAnswer: {
            /** Model */
            model: string;
            result: components["schemas"]["EmotionOut"];
            /** Task */
            task: string;
            timings: components["schemas"]["TimingsOut"];
        };
        /**
         * EmotionOut
         * @description How the text sounds.
         */
        EmotionOut: {
            /** Label */
            label: string;
            /**
             * Scores
             * @description By the checkpoint's labels.
             */
            scores: {
                [key: string]: number;
            };
            /**
             * Tokens
             * @description Tokens read.
             */
            tokens: number;
        };
        /**
         * EnhanceOut
         * @description The enlarged picture or video.
         */
        EnhanceOut: {
            /** Duration */
            duration?: number | null;
            file?: components["schemas"]["FileOut"] | null;
            /** Frames */
            frames?: number | null;
            /** Height */
            height: number;
            /**
             * Image
             * @description A PNG file in base64.
             */
            image?: string | null;
            /**
             * Video
             * @description An MP4 file in base64.
             */
            video?: string | null;
            /** Width */
            width: number;
        };
        /**
         * ErrorDetail
         * @description What happened, for people (`message`) and for programs (`code`).
         */
        ErrorDetail: {
            /**
             * Code
             * @description Stable identifier of this error.
             */
            code: string;
            /**
             * Message
             * @description What happened and what to do about it.
             */
            message: string;
            /**
             * Param
             * @description The parameter at fault, if one is.
             */
            param?: string | null;
            /**
             * Request Id
             * @description The id to quote to an operator.
             */
            request_id?: string | null;
            /**
             * Type
             * @description The family of the error, as OpenAI clients know it.
             */
            type: string;
        };
        /**
         * ErrorResponse
         * @description Body of every answer with a status of 400 or more.
         */
        ErrorResponse: {
            error: components["schemas"]["ErrorDetail"];
        };
        /** FaceDeepfakeAnswer */
        FaceDeepfakeAnswer: {
            /** Model */
            model: string;
            result: components["schemas"]["FaceDeepfakeOut"];
            /** Task */
            task: string;
            timings: components["schemas"]["TimingsOut"];
        };
        /**
         * FaceDeepfakeOut
         * @description Whether a face is synthetic. Without a face there is no label and no score.
         */
        FaceDeepfakeOut: {
            /** Faces */
            faces: components["schemas"]["FaceOut"][];
            /** Label */
            label: ("real" | "fake") | null;
            /**
             * Score
             * @description Of the face most likely fake, 0 to 1.
             */
            score: number | null;
            /** Scores */
            scores: {
                [key: string]: number;
            } | null;
        };
        /**
         * FaceOut
         * @description One face; `box` is x, y, width, height in pixels of the upright picture.
         */
        FaceOut: {
            /** Box */
            box: [
                number,
                number,
                number,
                number
            ];
            /** Score */
            score: number;
        };
        /**
         * File
         * @description An uploaded file, without its content.
         */
        File: {
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /** Id */
            id: string;
            /**
             * Media Type
             * @description What the client said it is; nothing relies on it.
             */
            media_type: string;
            /**
             * Name
             * @description What the user called it; at most 255 characters.
             */
            name: string;
            /** Sha256 */
            sha256: string;
            /**
             * Size
             * @description Bytes.
             */
            size: number;
        };
        /**
         * FileOut
         * @description A result kept as a file, for jobs.
         */
        FileOut: {
            /** Bytes */
            bytes: number;
            /** Id */
            id: string;
            /** Media Type */
            media_type: string;
            /** Name */
            name: string;
        };
        /**
         * Health
         * @description The service can read its database and is its only writer.
         */
        Health: {
            /**
             * Status
             * @constant
             */
            status: "ok";
        };
        /**
         * IndexEntry
         * @description One model as Triton lists it.
         */
        IndexEntry: {
            /** Name */
            name: string;
            /** Reason */
            reason: string;
            /**
             * State
             * @enum {string}
             */
            state: "READY" | "LOADING" | "UNAVAILABLE";
        };
        /**
         * IndexOptions
         * @description Options of a listing.
         */
        IndexOptions: {
            /**
             * Ready
             * @description List only models that are ready.
             * @default false
             */
            ready?: boolean;
        };
        /**
         * Job
         * @description A task on a file. `position` is its place in the queue, from 1, while it waits there.
         */
        Job: {
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            error: components["schemas"]["JobError"] | null;
            /** Finished At */
            finished_at: string | null;
            /** Id */
            id: string;
            input: components["schemas"]["JobSource"];
            /** Model */
            model: string | null;
            /** Parameters */
            parameters: {
                [key: string]: unknown;
            };
            /** Position */
            position?: number | null;
            progress: components["schemas"]["JobProgress"];
            result: components["schemas"]["JobResult"] | null;
            /** Started At */
            started_at: string | null;
            /**
             * Status
             * @enum {string}
             */
            status: "queued" | "running" | "complete" | "failed" | "cancelled";
            /**
             * Task
             * @enum {string}
             */
            task: "speech_recognition" | "emotion_detection" | "text_summarization" | "audio_denoising" | "video_enhancement" | "audio_deepfake" | "face_deepfake";
        };
        /**
         * JobAccepted
         * @description The job that was stored and will be worked on.
         */
        JobAccepted: {
            job: components["schemas"]["Job"];
        };
        /**
         * JobCreate
         * @description A task, its input, and what else `/inference/{task}` takes.
         */
        JobCreate: {
            input: components["schemas"]["JobInput"];
            /**
             * Parameters
             * @description Parameters as for POST /inference/{task}, such as `model` or `language`.
             */
            parameters?: {
                [key: string]: unknown;
            };
            /**
             * Task
             * @enum {string}
             */
            task: "speech_recognition" | "emotion_detection" | "text_summarization" | "audio_denoising" | "video_enhancement" | "audio_deepfake" | "face_deepfake";
        };
        /**
         * JobError
         * @description Why a job failed, and what to do.
         */
        JobError: {
            /** Code */
            code: string;
            /** Message */
            message: string;
        };
        /**
         * JobInput
         * @description What the task works on: one of your files.
         */
        JobInput: {
            /** File Id */
            file_id: string;
        };
        /**
         * JobPage
         * @description Jobs, the newest first.
         */
        JobPage: {
            /** Items */
            items: components["schemas"]["Job"][];
            /** Next Cursor */
            next_cursor?: string | null;
        };
        /**
         * JobProgress
         * @description How far the work is: `fraction` from 0 to 1.
         */
        JobProgress: {
            /** Fraction */
            fraction: number;
            /** Stage */
            stage: string | null;
        };
        /**
         * JobResult
         * @description The file that a job made; it belongs to the job's user like any other.
         */
        JobResult: {
            /** File Id */
            file_id: string;
            /** Media Type */
            media_type: string;
            /** Name */
            name: string;
            /**
             * Size
             * @description Bytes.
             */
            size: number;
        };
        /**
         * JobSource
         * @description The file that a job works on; its name as it was when the job was made.
         */
        JobSource: {
            /** File Id */
            file_id: string;
            /** Name */
            name: string;
        };
        /**
         * JsonSchema
         * @description A schema that the answer will follow.
         */
        JsonSchema: {
            /** Description */
            description?: string | null;
            /** Name */
            name?: string | null;
            /** Schema */
            schema: {
                [key: string]: unknown;
            };
            /** Strict */
            strict?: boolean | null;
        };
        /**
         * LineOut
         * @description One line; `box` has its four corners in pixels of the upright picture, from top left on.
         */
        LineOut: {
            /** Box */
            box: [
                number,
                number
            ][];
            /**
             * Score
             * @description How sure the model is, 0 to 1.
             */
            score: number;
            /** Text */
            text: string;
        };
        /**
         * Live
         * @description The process answers.
         */
        Live: {
            /**
             * Live
             * @default true
             */
            live?: boolean;
        };
        /**
         * LoadOptions
         * @description Options of a load.
         */
        LoadOptions: {
            /**
             * Reload
             * @description Unload first when the model is loaded.
             * @default false
             */
            reload?: boolean;
        };
        /**
         * Login
         * @description Who signs in.
         */
        Login: {
            /** Password */
            password: string;
            /** Username */
            username: string;
        };
        /**
         * Memory
         * @description Bytes that loading a model took, as measured.
         */
        Memory: {
            /** Device */
            device: number;
            /** Host */
            host: number;
        };
        /**
         * Message
         * @description One message. Messages with the same parent are branches.
         */
        Message: {
            /** Content */
            content: string;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            error: components["schemas"]["RunError"] | null;
            /** Id */
            id: string;
            /** Model */
            model: string | null;
            /** Parent Id */
            parent_id: string | null;
            /**
             * Role
             * @enum {string}
             */
            role: "user" | "assistant" | "system";
            /** Run Id */
            run_id: string | null;
            /**
             * Status
             * @enum {string}
             */
            status: "queued" | "streaming" | "complete" | "stopped" | "failed";
            usage: components["schemas"]["Usage"] | null;
        };
        /**
         * Message
         * @description One turn of the conversation.
         */
        Message2: {
            /**
             * Content
             * @description Text, or parts of type `text`.
             */
            content: string | (components["schemas"]["TextPart"] | components["schemas"]["OtherPart"])[];
            /**
             * Role
             * @enum {string}
             */
            role: "system" | "developer" | "user" | "assistant";
        };
        /**
         * MessageCreate
         * @description A question. Without `parent_id` it follows the newest message; null begins a new branch.
         */
        MessageCreate: {
            /**
             * Attachments
             * @description Empty: no model here reads files yet.
             */
            attachments?: string[] | null;
            /** Content */
            content: string;
            /** Model */
            model?: string | null;
            /** Parent Id */
            parent_id?: string | null;
        };
        /**
         * MessagePage
         * @description Messages in the order of time. The first page ends with the newest.
         */
        MessagePage: {
            /** Items */
            items: components["schemas"]["Message"][];
            /** Next Cursor */
            next_cursor?: string | null;
        };
        /**
         * Model
         * @description A model that can answer in a conversation.
         */
        Model: {
            /**
             * Context Length
             * @description Longest prompt and answer together, in tokens, if known.
             */
            context_length?: number | null;
            /**
             * Default
             * @description Whether it answers when no model is named.
             */
            default: boolean;
            /**
             * Id
             * @description The name to ask for.
             */
            id: string;
            /**
             * Kind
             * @description `chat`, or `vision_language` when it also sees images.
             */
            kind: string;
            /**
             * Source
             * @description `local` inference, or the configured `upstream`.
             * @enum {string}
             */
            source: "local" | "upstream";
            /**
             * State
             * @description `available` models load when first asked.
             * @enum {string}
             */
            state: "available" | "loading" | "ready" | "failed";
        };
        /**
         * ModelCard
         * @description One checkpoint and its state.
         */
        ModelCard: {
            /**
             * Bytes
             * @description Size of the weight files.
             */
            bytes: number;
            /**
             * Context Length
             * @description Tokens that one request may use.
             */
            context_length: number | null;
            /** Created */
            created: number;
            /**
             * Default
             * @description Whether requests that name no model get this one.
             */
            default: boolean;
            /**
             * Dimensions
             * @description Numbers in a vector of an embedding model.
             */
            dimensions: number | null;
            /** Id */
            id: string;
            /**
             * Kind
             * @description What it is for, the same as its slot.
             */
            kind: string;
            /**
             * Labels
             * @description What a classifier tells apart.
             */
            labels: string[] | null;
            /**
             * Memory
             * @description Bytes that loading took, as measured: `host`, and `device` for a GPU.
             */
            memory: {
                [key: string]: number;
            } | null;
            /**
             * Object
             * @default model
             * @constant
             */
            object?: "model";
            /**
             * Owned By
             * @default atoll
             */
            owned_by?: string;
            /**
             * Problem
             * @description Why it cannot be served, and the remedy.
             */
            problem: string | null;
            /** Slot */
            slot: string;
            /**
             * State
             * @enum {string}
             */
            state: "available" | "loading" | "ready" | "failed";
        };
        /**
         * ModelList
         * @description Every model that can answer.
         */
        ModelList: {
            /** Items */
            items: components["schemas"]["Model"][];
        };
        /**
         * ModelList
         * @description All models.
         */
        ModelList2: {
            /** Data */
            data: components["schemas"]["ModelCard"][];
            /**
             * Object
             * @default list
             * @constant
             */
            object?: "list";
        };
        /**
         * ModelReady
         * @description Whether one model can do its work now.
         */
        ModelReady: {
            /** Name */
            name: string;
            /** Ready */
            ready: boolean;
        };
        /**
         * OcrAnswer
         * @description The lines in reading order, and all of them in one text.
         */
        OcrAnswer: {
            /** Lines */
            lines: components["schemas"]["LineOut"][];
            /** Model */
            model: string;
            /** Text */
            text: string;
        };
        /**
         * OtherPart
         * @description A piece that is no text; refused by name, since chat models here take text alone.
         */
        OtherPart: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "file" | "image_url" | "input_audio" | "video_url";
        } & {
            [key: string]: unknown;
        };
        /** Page[AdminUser] */
        Page_AdminUser_: {
            /** Items */
            items: components["schemas"]["AdminUser"][];
            /** Next Cursor */
            next_cursor?: string | null;
        };
        /** Page[File] */
        Page_File_: {
            /** Items */
            items: components["schemas"]["File"][];
            /** Next Cursor */
            next_cursor?: string | null;
        };
        /**
         * Ranked
         * @description One document; `index` is its place in the request.
         */
        Ranked: {
            document?: components["schemas"]["Document"] | null;
            /** Index */
            index: number;
            /**
             * Relevance Score
             * @description 0 to 1.
             */
            relevance_score: number;
            /**
             * Truncated
             * @description Whether the end of the document was not read.
             */
            truncated: boolean;
        };
        /**
         * Ready
         * @description Whether work can be done now.
         */
        Ready: {
            /** Ready */
            ready: boolean;
        };
        /**
         * Regenerate
         * @description Another answer to the same question, perhaps by another model.
         */
        Regenerate: {
            /** Model */
            model?: string | null;
        };
        /**
         * Register
         * @description A new account.
         */
        Register: {
            /** Password */
            password: string;
            /** Username */
            username: string;
        };
        /**
         * Registered
         * @description The new account; `pending` ones wait for an administrator.
         */
        Registered: {
            /**
             * Status
             * @enum {string}
             */
            status: "active" | "pending";
            user: components["schemas"]["User"];
        };
        /**
         * Reranked
         * @description The most relevant document first.
         */
        Reranked: {
            /** Id */
            id: string;
            /** Model */
            model: string;
            /** Results */
            results: components["schemas"]["Ranked"][];
            usage: components["schemas"]["RerankUsage"];
        };
        /**
         * RerankRequest
         * @description Documents to put in order. Fields that are not listed have no effect.
         */
        RerankRequest: {
            /** Documents */
            documents: (string | components["schemas"]["Document"])[];
            /** Model */
            model?: string | null;
            /** Query */
            query: string;
            /**
             * Return Documents
             * @description Whether the results repeat the documents; absent is yes.
             */
            return_documents?: boolean | null;
            /**
             * Top N
             * @description How many to return; absent is all.
             */
            top_n?: number | null;
        } & {
            [key: string]: unknown;
        };
        /**
         * RerankUsage
         * @description Tokens read.
         */
        RerankUsage: {
            /** Total Tokens */
            total_tokens: number;
        };
        /**
         * ResponseFormat
         * @description The form of the answer.
         */
        ResponseFormat: {
            json_schema?: components["schemas"]["JsonSchema"] | null;
            /**
             * Type
             * @enum {string}
             */
            type: "text" | "json_object" | "json_schema";
        };
        /**
         * Run
         * @description One generation of the answer `message_id`.
         */
        Run: {
            /** Conversation Id */
            conversation_id: string;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            error: components["schemas"]["RunError"] | null;
            /** Finished At */
            finished_at: string | null;
            /** Id */
            id: string;
            /** Message Id */
            message_id: string;
            /** Model */
            model: string | null;
            /**
             * Status
             * @enum {string}
             */
            status: "queued" | "streaming" | "complete" | "stopped" | "failed";
        };
        /**
         * RunError
         * @description Why an answer is not whole, and what to do.
         */
        RunError: {
            /** Code */
            code: string;
            /** Message */
            message: string;
        };
        /**
         * Scope
         * @description What an API key may be good for.
         * @enum {string}
         */
        Scope: "inference" | "conversations" | "admin";
        /**
         * SegmentOut
         * @description A phrase; times in seconds.
         */
        SegmentOut: {
            /** End */
            end: number;
            /** Start */
            start: number;
            /** Text */
            text: string;
        };
        /**
         * ServiceStatus
         * @description One part of the installation, as a probe found it just now.
         */
        ServiceStatus: {
            /** Detail */
            detail: string;
            /** Name */
            name: string;
            /**
             * Status
             * @enum {string}
             */
            status: "ok" | "down";
        };
        /**
         * Session
         * @description A signed-in browser.
         */
        Session: {
            /** Address */
            address: string;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /** Current */
            current: boolean;
            /**
             * Expires At
             * Format: date-time
             * @description When it ends if it is not used again.
             */
            expires_at: string;
            /** Id */
            id: string;
            /**
             * Last Seen At
             * Format: date-time
             */
            last_seen_at: string;
            /** User Agent */
            user_agent: string;
        };
        /**
         * Sessions
         * @description Every session of the user, the one last seen first.
         */
        Sessions: {
            /** Items */
            items: components["schemas"]["Session"][];
        };
        /**
         * SignedIn
         * @description The user and the value for the header `X-CSRF-Token` of this session.
         */
        SignedIn: {
            /** Csrf Token */
            csrf_token: string;
            user: components["schemas"]["User"];
        };
        /**
         * Slot
         * @description One purpose, and the checkpoints that fill it, the default one first.
         */
        Slot: {
            /**
             * Internal
             * @description Whether only other slots use it, and no request can.
             */
            internal: boolean;
            /** Models */
            models: components["schemas"]["SlotModel"][];
            /**
             * Note
             * @description Markdown about an empty slot: why no model comes along.
             */
            note?: string | null;
            /**
             * Remedy
             * @description How an operator fills it, as sentences.
             */
            remedy: string;
            /**
             * Served
             * @description Whether this release has an engine for it.
             */
            served: boolean;
            /** Slot */
            slot: string;
            /** Title */
            title: string;
            /**
             * Ways
             * @description The same for a page in any language.
             */
            ways: components["schemas"]["Way"][];
        };
        /**
         * SlotList
         * @description Every slot, filled or not, and the memory that all models share.
         */
        SlotList: {
            /**
             * Bytes Loaded
             * @description Estimated bytes of all loaded models.
             */
            bytes_loaded: number;
            /**
             * Memory Budget
             * @description Bytes that models may take; none: no limit.
             */
            memory_budget: number | null;
            /** Slots */
            slots: components["schemas"]["Slot"][];
        };
        /**
         * SlotModel
         * @description A checkpoint of this server.
         */
        SlotModel: {
            /** Architecture */
            architecture: string | null;
            /**
             * Bytes
             * @description Size of the weight files.
             */
            bytes: number;
            /** Context Length */
            context_length: number | null;
            /**
             * Default
             * @description Whether requests that name no model get this one.
             */
            default: boolean;
            /** Dimensions */
            dimensions: number | null;
            /** Dtype */
            dtype: string | null;
            /** Format */
            format: string;
            /** Has Card */
            has_card: boolean;
            /** Id */
            id: string;
            /** Labels */
            labels: string[] | null;
            /** Licence */
            licence: string | null;
            /** @description What loading it took; none while it is not loaded. */
            memory: components["schemas"]["Memory"] | null;
            /** Parameters */
            parameters: number | null;
            /**
             * Problem
             * @description Why it cannot be served, and the remedy.
             */
            problem: string | null;
            /** Starter */
            starter: boolean;
            /**
             * State
             * @enum {string}
             */
            state: "available" | "loading" | "ready" | "failed";
        };
        /**
         * SpeechOut
         * @description What was said; empty when nobody speaks.
         */
        SpeechOut: {
            /**
             * Duration
             * @description Length of the recording in seconds.
             */
            duration: number;
            /** Language */
            language: string;
            /** Segments */
            segments: components["schemas"]["SegmentOut"][];
            /** Text */
            text: string;
        };
        /** SpeechRecognitionAnswer */
        SpeechRecognitionAnswer: {
            /** Model */
            model: string;
            result: components["schemas"]["SpeechOut"];
            /** Task */
            task: string;
            timings: components["schemas"]["TimingsOut"];
        };
        /**
         * Status
         * @description Whether everything works. The parts are told only to those who sent a credential.
         */
        Status: {
            /** Models */
            models?: components["schemas"]["Model"][] | null;
            /** Services */
            services?: components["schemas"]["ServiceStatus"][] | null;
            /**
             * Status
             * @enum {string}
             */
            status: "ok" | "degraded";
        };
        /**
         * StreamOptions
         * @description Options of a streamed answer.
         */
        StreamOptions: {
            /**
             * Include Usage
             * @description Send a last chunk with token counts.
             * @default false
             */
            include_usage?: boolean;
        };
        /**
         * SummaryOut
         * @description The short form.
         */
        SummaryOut: {
            /**
             * Chunks
             * @description Pieces that a long text was cut into.
             */
            chunks: number;
            /** Input Tokens */
            input_tokens: number;
            /** Summary */
            summary: string;
            /** Summary Tokens */
            summary_tokens: number;
        };
        /**
         * TextPart
         * @description A piece of text in a message.
         */
        TextPart: {
            /** Text */
            text: string;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "text";
        };
        /** TextSummarizationAnswer */
        TextSummarizationAnswer: {
            /** Model */
            model: string;
            result: components["schemas"]["SummaryOut"];
            /** Task */
            task: string;
            timings: components["schemas"]["TimingsOut"];
        };
        /**
         * TimingsOut
         * @description Where the time went, in seconds.
         */
        TimingsOut: {
            /** Forward */
            forward: number;
            /** Postprocess */
            postprocess: number;
            /** Preprocess */
            preprocess: number;
            /** Queue */
            queue: number;
            /** Total */
            total: number;
        };
        /**
         * Transcription
         * @description The answer for `json`; `verbose_json` adds language, duration, segments and words.
         */
        Transcription: {
            /** Text */
            text: string;
            /** Usage */
            usage: {
                [key: string]: unknown;
            };
        };
        /**
         * Usage
         * @description Tokens read and written for one answer.
         */
        Usage: {
            /** Completion Tokens */
            completion_tokens: number;
            /** Prompt Tokens */
            prompt_tokens: number;
        };
        /**
         * Usage
         * @description Token counts.
         */
        Usage2: {
            /** Completion Tokens */
            completion_tokens: number;
            /** Prompt Tokens */
            prompt_tokens: number;
            /** Prompt Tokens Details */
            prompt_tokens_details?: {
                [key: string]: number;
            } | null;
            /** Total Tokens */
            total_tokens: number;
        };
        /**
         * UsagePage
         * @description Days, the newest first.
         */
        UsagePage: {
            /** Items */
            items: components["schemas"]["DailyUsage"][];
            /** Next Cursor */
            next_cursor?: string | null;
        };
        /**
         * User
         * @description A person, as that person and administrators see them.
         */
        User: {
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /** Id */
            id: string;
            /** Must Change Password */
            must_change_password: boolean;
            /**
             * Role
             * @enum {string}
             */
            role: "admin" | "user";
            /**
             * Status
             * @enum {string}
             */
            status: "active" | "pending" | "suspended";
            /** Username */
            username: string;
        };
        /** VideoEnhancementAnswer */
        VideoEnhancementAnswer: {
            /** Model */
            model: string;
            result: components["schemas"]["EnhanceOut"];
            /** Task */
            task: string;
            timings: components["schemas"]["TimingsOut"];
        };
        /**
         * Way
         * @description One way to fill an empty slot.
         */
        Way: {
            /**
             * Checkpoint
             * @description What is fetched.
             */
            checkpoint: string | null;
            /**
             * Command
             * @description What an operator runs.
             */
            command: string | null;
            /**
             * Kind
             * @description Install the small model that comes along, train one, fetch one from the model hub, or copy one into the slot's folder.
             * @enum {string}
             */
            kind: "starter" | "train" | "fetch" | "copy";
        };
        /**
         * WindowOut
         * @description A piece of the recording; times in seconds.
         */
        WindowOut: {
            /** End */
            end: number;
            /** Score */
            score: number;
            /** Start */
            start: number;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    read_settings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AccountSettings"];
                };
            };
            /** @description The one error shape. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorResponse"];
                };
            };
        };
    };
    change_settings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ChangeSettings"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AccountSettings"];
                };
            };
            /** @description The one error shape. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorResponse"];
                };
            };
        };
    };
    list_users: {
        parameters: {
            query?: {
                cursor?: string | null;
                limit?: number;
                status?: ("active" | "pending" | "suspended") | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_AdminUser_"];
                };
            };
            /** @description The one error shape. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorResponse"];
                };
            };
        };
    };
    change_user: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                user_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ChangeUser"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AdminUser"];
                };
            };
            /** @description The one error shape. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorResponse"];
                };
            };
        };
    };
    list_api_keys: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiKeys"];
                };
            };
            /** @description The one error shape. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorResponse"];
                };
            };
        };
    };
    create_api_key: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateApiKey"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CreatedApiKey"];
                };
            };
            /** @description The one error shape. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorResponse"];
                };
            };
        };
    };
    revoke_api_key: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                key_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The one error shape. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorResponse"];
                };
            };
        };
    };
    log_in: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Login"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignedIn"];
                };
            };
            /** @description The one error shape. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorResponse"];
                };
            };
        };
    };
    log_out: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The one error shape. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorResponse"];
                };
            };
        };
    };
    me: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignedIn"];
                };
            };
            /** @description The one error shape. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorResponse"];
                };
            };
        };
    };
    change_password: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ChangePassword"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignedIn"];
                };
            };
            /** @description The one error shape. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorResponse"];
                };
            };
        };
    };
    register: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Register"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Registered"];
                };
            };
            /** @description The one error shape. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorResponse"];
                };
            };
        };
    };
    list_sessions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Sessions"];
                };
            };
            /** @description The one error shape. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorResponse"];
                };
            };
        };
    };
    revoke_other_sessions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The one error shape. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorResponse"];
                };
            };
        };
    };
    revoke_session: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                session_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The one error shape. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorResponse"];
                };
            };
        };
    };
    get_config: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Config"];
                };
            };
            /** @description The one error shape. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorResponse"];
                };
            };
        };
    };
    list_conversations: {
        parameters: {
            query?: {
                /** @description `next_cursor` of the page before. */
                cursor?: string | null;
                /** @description Items on a page. */
                limit?: number;
                /** @description Only titles that hold this. */
                query?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConversationPage"];
                };
            };
            /** @description The one error shape. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorResponse"];
                };
            };
        };
    };
    create_conversation: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ConversationCreate"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Conversation"];
                };
            };
            /** @description The one error shape. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorResponse"];
                };
            };
        };
    };
    get_conversation: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                conversation_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Conversation"];
                };
            };
            /** @description The one error shape. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorResponse"];
                };
            };
        };
    };
    delete_conversation: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                conversation_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The one error shape. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorResponse"];
                };
            };
        };
    };
    change_conversation: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                conversation_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ConversationPatch"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Conversation"];
                };
            };
            /** @description The one error shape. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorResponse"];
                };
            };
        };
    };
    list_messages: {
        parameters: {
            query?: {
                /** @description `next_cursor` of the page before. */
                cursor?: string | null;
                /** @description Items on a page. */
                limit?: number;
            };
            header?: never;
            path: {
                conversation_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MessagePage"];
                };
            };
            /** @description The one error shape. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorResponse"];
                };
            };
        };
    };
    send_message: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                conversation_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MessageCreate"];
            };
        };
        responses: {
            /** @description Successful Response */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Accepted"];
                };
            };
            /** @description The one error shape. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorResponse"];
                };
            };
        };
    };
    regenerate_answer: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                conversation_id: string;
                message_id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["Regenerate"] | null;
            };
        };
        responses: {
            /** @description Successful Response */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Accepted"];
                };
            };
            /** @description The one error shape. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorResponse"];
                };
            };
        };
    };
    list_files: {
        parameters: {
            query?: {
                cursor?: string | null;
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_File_"];
                };
            };
            /** @description The one error shape. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorResponse"];
                };
            };
        };
    };
    upload_file: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "multipart/form-data": {
                    /** Format: binary */
                    file: string;
                };
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["File"];
                };
            };
            /** @description The one error shape. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorResponse"];
                };
            };
        };
    };
    get_file: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                file_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["File"];
                };
            };
            /** @description The one error shape. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorResponse"];
                };
            };
        };
    };
    delete_file: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                file_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The one error shape. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorResponse"];
                };
            };
        };
    };
    get_file_content: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                file_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The bytes of the file. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": unknown;
                };
            };
            /** @description The one error shape. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorResponse"];
                };
            };
        };
    };
    get_health: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
            /** @description The one error shape. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorResponse"];
                };
            };
        };
    };
    list_jobs: {
        parameters: {
            query?: {
                cursor?: string | null;
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobPage"];
                };
            };
            /** @description The one error shape. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorResponse"];
                };
            };
        };
    };
    create_job: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["JobCreate"];
            };
        };
        responses: {
            /** @description Successful Response */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobAccepted"];
                };
            };
            /** @description The one error shape. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorResponse"];
                };
            };
        };
    };
    get_job: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                job_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"];
                };
            };
            /** @description The one error shape. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorResponse"];
                };
            };
        };
    };
    cancel_job: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                job_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Job"];
                };
            };
            /** @description The one error shape. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorResponse"];
                };
            };
        };
    };
    follow_job: {
        parameters: {
            query?: {
                /** @description As the header, for clients without it. */
                last_event_id?: number | null;
            };
            header?: {
                /** @description Resume after this event. */
                "last-event-id"?: number | null;
            };
            path: {
                job_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Events `queued`, `progress`, then `done` or `error`. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
            /** @description The final event was sent already; do not connect again. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The one error shape. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorResponse"];
                };
            };
        };
    };
    list_models: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ModelList"];
                };
            };
            /** @description The one error shape. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorResponse"];
                };
            };
        };
    };
    get_card: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                model_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CardText"];
                };
            };
            /** @description The one error shape. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorResponse"];
                };
            };
        };
    };
    get_run: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                run_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Run"];
                };
            };
            /** @description The one error shape. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorResponse"];
                };
            };
        };
    };
    cancel_run: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                run_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Run"];
                };
            };
            /** @description The one error shape. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorResponse"];
                };
            };
        };
    };
    follow_run: {
        parameters: {
            query?: {
                /** @description As the header, for clients without it. */
                last_event_id?: number | null;
            };
            header?: {
                /** @description Resume after this event. */
                "last-event-id"?: number | null;
            };
            path: {
                run_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Events `message`, `queued`, `delta`, `usage`, then `done` or `error`. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
            /** @description The final event was sent already; do not connect again. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The one error shape. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorResponse"];
                };
            };
        };
    };
    list_slots: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SlotList"];
                };
            };
            /** @description The one error shape. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorResponse"];
                };
            };
        };
    };
    get_status: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Status"];
                };
            };
            /** @description The one error shape. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorResponse"];
                };
            };
        };
    };
    list_usage: {
        parameters: {
            query?: {
                cursor?: string | null;
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UsagePage"];
                };
            };
            /** @description The one error shape. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorResponse"];
                };
            };
        };
    };
    audio_deepfake: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** Audio */
                    audio?: string | {
                        /**
                         * Data
                         * @description A data URI or base64 text.
                         */
                        data?: string | null;
                        /**
                         * File Id
                         * @description A file of yours, uploaded to /api/files.
                         */
                        file_id?: string | null;
                        /**
                         * Path
                         * @description Read when it lies in one of MEDIA_ROOTS.
                         */
                        path?: string | null;
                        /**
                         * Url
                         * @description Fetched when URL_FETCH_ALLOWLIST has its host.
                         */
                        url?: string | null;
                    } | null;
                    /**
                     * Inputs
                     * @description Several recordings.
                     */
                    inputs?: (string | {
                        /**
                         * Data
                         * @description A data URI or base64 text.
                         */
                        data?: string | null;
                        /**
                         * File Id
                         * @description A file of yours, uploaded to /api/files.
                         */
                        file_id?: string | null;
                        /**
                         * Path
                         * @description Read when it lies in one of MEDIA_ROOTS.
                         */
                        path?: string | null;
                        /**
                         * Url
                         * @description Fetched when URL_FETCH_ALLOWLIST has its host.
                         */
                        url?: string | null;
                    })[] | null;
                    /** Model */
                    model?: string | null;
                };
                "multipart/form-data": {
                    /**
                     * Format: binary
                     * @description The audio; repeat the field for a batch.
                     */
                    file?: string;
                    /** Model */
                    model?: string | null;
                };
            };
        };
        responses: {
            /** @description The result; with `inputs`, a list of results. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AudioDeepfakeAnswer"] | components["schemas"]["BatchAnswer"];
                };
            };
            /** @description The one error shape. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorResponse"];
                };
            };
        };
    };
    audio_denoising: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** Audio */
                    audio?: string | {
                        /**
                         * Data
                         * @description A data URI or base64 text.
                         */
                        data?: string | null;
                        /**
                         * File Id
                         * @description A file of yours, uploaded to /api/files.
                         */
                        file_id?: string | null;
                        /**
                         * Path
                         * @description Read when it lies in one of MEDIA_ROOTS.
                         */
                        path?: string | null;
                        /**
                         * Url
                         * @description Fetched when URL_FETCH_ALLOWLIST has its host.
                         */
                        url?: string | null;
                    } | null;
                    /**
                     * Inputs
                     * @description Several recordings.
                     */
                    inputs?: (string | {
                        /**
                         * Data
                         * @description A data URI or base64 text.
                         */
                        data?: string | null;
                        /**
                         * File Id
                         * @description A file of yours, uploaded to /api/files.
                         */
                        file_id?: string | null;
                        /**
                         * Path
                         * @description Read when it lies in one of MEDIA_ROOTS.
                         */
                        path?: string | null;
                        /**
                         * Url
                         * @description Fetched when URL_FETCH_ALLOWLIST has its host.
                         */
                        url?: string | null;
                    })[] | null;
                    /** Model */
                    model?: string | null;
                };
                "multipart/form-data": {
                    /**
                     * Format: binary
                     * @description The audio; repeat the field for a batch.
                     */
                    file?: string;
                    /** Model */
                    model?: string | null;
                };
            };
        };
        responses: {
            /** @description The result; with `inputs`, a list of results. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AudioDenoisingAnswer"] | components["schemas"]["BatchAnswer"];
                    "audio/wav": unknown;
                };
            };
            /** @description The one error shape. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorResponse"];
                };
            };
        };
    };
    emotion_detection: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /**
                     * Inputs
                     * @description Several texts.
                     */
                    inputs?: string[] | null;
                    /** Model */
                    model?: string | null;
                    /** Text */
                    text?: string | null;
                };
                "multipart/form-data": {
                    /**
                     * Format: binary
                     * @description The text; repeat the field for a batch.
                     */
                    file?: string;
                    /** Model */
                    model?: string | null;
                    /** Text */
                    text?: string | null;
                };
            };
        };
        responses: {
            /** @description The result; with `inputs`, a list of results. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EmotionDetectionAnswer"] | components["schemas"]["BatchAnswer"];
                };
            };
            /** @description The one error shape. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorResponse"];
                };
            };
        };
    };
    face_deepfake: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** Image */
                    image?: string | {
                        /**
                         * Data
                         * @description A data URI or base64 text.
                         */
                        data?: string | null;
                        /**
                         * File Id
                         * @description A file of yours, uploaded to /api/files.
                         */
                        file_id?: string | null;
                        /**
                         * Path
                         * @description Read when it lies in one of MEDIA_ROOTS.
                         */
                        path?: string | null;
                        /**
                         * Url
                         * @description Fetched when URL_FETCH_ALLOWLIST has its host.
                         */
                        url?: string | null;
                    } | null;
                    /**
                     * Inputs
                     * @description Several pictures.
                     */
                    inputs?: (string | {
                        /**
                         * Data
                         * @description A data URI or base64 text.
                         */
                        data?: string | null;
                        /**
                         * File Id
                         * @description A file of yours, uploaded to /api/files.
                         */
                        file_id?: string | null;
                        /**
                         * Path
                         * @description Read when it lies in one of MEDIA_ROOTS.
                         */
                        path?: string | null;
                        /**
                         * Url
                         * @description Fetched when URL_FETCH_ALLOWLIST has its host.
                         */
                        url?: string | null;
                    })[] | null;
                    /** Model */
                    model?: string | null;
                };
                "multipart/form-data": {
                    /**
                     * Format: binary
                     * @description The image; repeat the field for a batch.
                     */
                    file?: string;
                    /** Model */
                    model?: string | null;
                };
            };
        };
        responses: {
            /** @description The result; with `inputs`, a list of results. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FaceDeepfakeAnswer"] | components["schemas"]["BatchAnswer"];
                };
            };
            /** @description The one error shape. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorResponse"];
                };
            };
        };
    };
    speech_recognition: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** Audio */
                    audio?: string | {
                        /**
                         * Data
                         * @description A data URI or base64 text.
                         */
                        data?: string | null;
                        /**
                         * File Id
                         * @description A file of yours, uploaded to /api/files.
                         */
                        file_id?: string | null;
                        /**
                         * Path
                         * @description Read when it lies in one of MEDIA_ROOTS.
                         */
                        path?: string | null;
                        /**
                         * Url
                         * @description Fetched when URL_FETCH_ALLOWLIST has its host.
                         */
                        url?: string | null;
                    } | null;
                    /**
                     * Inputs
                     * @description Several recordings.
                     */
                    inputs?: (string | {
                        /**
                         * Data
                         * @description A data URI or base64 text.
                         */
                        data?: string | null;
                        /**
                         * File Id
                         * @description A file of yours, uploaded to /api/files.
                         */
                        file_id?: string | null;
                        /**
                         * Path
                         * @description Read when it lies in one of MEDIA_ROOTS.
                         */
                        path?: string | null;
                        /**
                         * Url
                         * @description Fetched when URL_FETCH_ALLOWLIST has its host.
                         */
                        url?: string | null;
                    })[] | null;
                    /**
                     * Language
                     * @description ISO 639 code; absent lets a multilingual model find out.
                     */
                    language?: string | null;
                    /** Model */
                    model?: string | null;
                    /**
                     * Prompt
                     * @description Words likely to occur.
                     */
                    prompt?: string | null;
                    /**
                     * Temperature
                     * @default 0
                     */
                    temperature?: number;
                };
                "multipart/form-data": {
                    /**
                     * Format: binary
                     * @description The audio; repeat the field for a batch.
                     */
                    file?: string;
                    /**
                     * Language
                     * @description ISO 639 code; absent lets a multilingual model find out.
                     */
                    language?: string | null;
                    /** Model */
                    model?: string | null;
                    /**
                     * Prompt
                     * @description Words likely to occur.
                     */
                    prompt?: string | null;
                    /**
                     * Temperature
                     * @default 0
                     */
                    temperature?: number;
                };
            };
        };
        responses: {
            /** @description The result; with `inputs`, a list of results. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SpeechRecognitionAnswer"] | components["schemas"]["BatchAnswer"];
                };
            };
            /** @description The one error shape. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorResponse"];
                };
            };
        };
    };
    text_summarization: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /**
                     * Inputs
                     * @description Several texts.
                     */
                    inputs?: string[] | null;
                    /**
                     * Max Tokens
                     * @description Longest summary, in the model's tokens.
                     */
                    max_tokens?: number | null;
                    /**
                     * Min Tokens
                     * @description Shortest summary.
                     */
                    min_tokens?: number | null;
                    /** Model */
                    model?: string | null;
                    /** Text */
                    text?: string | null;
                };
                "multipart/form-data": {
                    /**
                     * Format: binary
                     * @description The text; repeat the field for a batch.
                     */
                    file?: string;
                    /**
                     * Max Tokens
                     * @description Longest summary, in the model's tokens.
                     */
                    max_tokens?: number | null;
                    /**
                     * Min Tokens
                     * @description Shortest summary.
                     */
                    min_tokens?: number | null;
                    /** Model */
                    model?: string | null;
                    /** Text */
                    text?: string | null;
                };
            };
        };
        responses: {
            /** @description The result; with `inputs`, a list of results. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TextSummarizationAnswer"] | components["schemas"]["BatchAnswer"];
                };
            };
            /** @description The one error shape. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorResponse"];
                };
            };
        };
    };
    video_enhancement: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** Image */
                    image?: string | {
                        /**
                         * Data
                         * @description A data URI or base64 text.
                         */
                        data?: string | null;
                        /**
                         * File Id
                         * @description A file of yours, uploaded to /api/files.
                         */
                        file_id?: string | null;
                        /**
                         * Path
                         * @description Read when it lies in one of MEDIA_ROOTS.
                         */
                        path?: string | null;
                        /**
                         * Url
                         * @description Fetched when URL_FETCH_ALLOWLIST has its host.
                         */
                        url?: string | null;
                    } | null;
                    /**
                     * Inputs
                     * @description Several pictures.
                     */
                    inputs?: (string | {
                        /**
                         * Data
                         * @description A data URI or base64 text.
                         */
                        data?: string | null;
                        /**
                         * File Id
                         * @description A file of yours, uploaded to /api/files.
                         */
                        file_id?: string | null;
                        /**
                         * Path
                         * @description Read when it lies in one of MEDIA_ROOTS.
                         */
                        path?: string | null;
                        /**
                         * Url
                         * @description Fetched when URL_FETCH_ALLOWLIST has its host.
                         */
                        url?: string | null;
                    })[] | null;
                    /** Model */
                    model?: string | null;
                    /** Video */
                    video?: string | {
                        /**
                         * Data
                         * @description A data URI or base64 text.
                         */
                        data?: string | null;
                        /**
                         * File Id
                         * @description A file of yours, uploaded to /api/files.
                         */
                        file_id?: string | null;
                        /**
                         * Path
                         * @description Read when it lies in one of MEDIA_ROOTS.
                         */
                        path?: string | null;
                        /**
                         * Url
                         * @description Fetched when URL_FETCH_ALLOWLIST has its host.
                         */
                        url?: string | null;
                    } | null;
                };
                "multipart/form-data": {
                    /**
                     * Format: binary
                     * @description The image or video; repeat the field for a batch.
                     */
                    file?: string;
                    /** Model */
                    model?: string | null;
                };
            };
        };
        responses: {
            /** @description The result; with `inputs`, a list of results. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["VideoEnhancementAnswer"] | components["schemas"]["BatchAnswer"];
                    "image/png": unknown;
                    "video/mp4": unknown;
                };
            };
            /** @description The one error shape. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorResponse"];
                };
            };
        };
    };
    create_transcription: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "multipart/form-data": {
                    /**
                     * Format: binary
                     * @description Audio or video of any container that FFmpeg reads.
                     */
                    file: string;
                    /** Language */
                    language?: string | null;
                    /** Model */
                    model?: string | null;
                    /**
                     * Prompt
                     * @description Words likely to occur.
                     */
                    prompt?: string | null;
                    /**
                     * Response Format
                     * @default json
                     * @enum {string}
                     */
                    response_format?: "json" | "text" | "srt" | "verbose_json" | "vtt";
                    /**
                     * Temperature
                     * @default 0
                     */
                    temperature?: number;
                    /**
                     * Timestamp Granularities[]
                     * @default [
                     *       "segment"
                     *     ]
                     */
                    "timestamp_granularities[]"?: ("word" | "segment")[];
                };
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Transcription"];
                };
            };
            /** @description The one error shape. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorResponse"];
                };
            };
        };
    };
    complete_chat: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    messages: Record<string, never>[];
                    /** @description Default: the default model. */
                    model?: string;
                    n?: number;
                    /** @default false */
                    stream?: boolean;
                    stream_options?: {
                        include_usage?: boolean;
                    };
                } & {
                    [key: string]: unknown;
                };
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The one error shape. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorResponse"];
                };
            };
        };
    };
    create_embeddings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EmbeddingsRequest"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Embeddings"];
                };
            };
            /** @description The one error shape. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorResponse"];
                };
            };
        };
    };
    list_openai_models: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        [key: string]: unknown;
                    };
                };
            };
            /** @description The one error shape. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorResponse"];
                };
            };
        };
    };
    get_openai_model: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                model_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        [key: string]: unknown;
                    };
                };
            };
            /** @description The one error shape. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorResponse"];
                };
            };
        };
    };
    get_model: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                model: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ModelCard"];
                };
            };
            /** @description The one error shape. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorResponse"];
                };
            };
        };
    };
    read_text: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description A data URI or base64 text. */
                    image: string;
                    model?: string;
                };
                "multipart/form-data": {
                    /** Format: binary */
                    file: string;
                    model?: string;
                };
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OcrAnswer"];
                };
            };
            /** @description The one error shape. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorResponse"];
                };
            };
        };
    };
    rerank: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RerankRequest"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Reranked"];
                };
            };
            /** @description The one error shape. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorResponse"];
                };
            };
        };
    };
    health_live: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Live"];
                };
            };
            /** @description The one error shape. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorResponse"];
                };
            };
        };
    };
    health_ready: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Ready"];
                };
            };
            /** @description The one error shape. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorResponse"];
                };
            };
        };
    };
    model_ready: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                model: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ModelReady"];
                };
            };
            /** @description The one error shape. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorResponse"];
                };
            };
        };
    };
    repository_index: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["IndexOptions"] | null;
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IndexEntry"][];
                };
            };
            /** @description The one error shape. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorResponse"];
                };
            };
        };
    };
    load_model: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                model: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["LoadOptions"] | null;
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ModelCard"];
                };
            };
            /** @description The one error shape. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorResponse"];
                };
            };
        };
    };
    unload_model: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                model: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ModelCard"];
                };
            };
            /** @description The one error shape. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorResponse"];
                };
            };
        };
    };
}
