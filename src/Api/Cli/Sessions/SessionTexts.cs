namespace SparkGateway.Api.Cli.Sessions;

internal static class SessionTexts
{
    public const string Sessions = """
        Sessions of a running gateway, through its admin API.

        Without --url and --token-file the configuration says where the gateway and its token are: give --config and --set as
        the gateway was started with, in the same working folder. The first token of the file is used.
        """;

    public const string List = "Lists sessions: all but the ended ones, unless --state says otherwise.";
    public const string Describe = "Shows one session with its client sessions, open calls and last audit rows.";
    public const string Open = "Opens a session before its client comes and prints the connection string to paste into the client; its driver starts at once.";
    public const string Close = "Ends a session whoever uses it; its clients read who did and the note.";
    public const string Extend = "Lets a session live longer than its max TTL, by so many minutes.";
    public const string Logs = "Prints the last lines of a session's driver log.";

    public const string Id = "Row id of the session, or NAMESPACE/NAME.";
    public const string Url = "Address of the gateway's admin port, for example http://127.0.0.1:8080; by default admin.bind and admin.port of the configuration.";
    public const string TokenFile = "File whose first token is used; by default admin.token_file of the configuration, or else state_dir/admin.tokens.";
    public const string As = "Your name, for the audit and the text that clients read, which say that nobody checked it; by default the user of this machine.";
    public const string Timeout = "Seconds to wait for an answer, 1 to 3600.";
    public const string Output = "How to print.";
    public const string Team = "Only sessions of this team.";
    public const string User = "Only sessions that this user opened or has a client session on.";
    public const string Namespace = "Only sessions of this namespace.";
    public const string State = "live (all but ended), starting, ready, ending, ended or all.";
    public const string Limit = "Print no more than so many.";
    public const string Watch = "Go on and print each session that appears, changes or ends, until Ctrl-C.";
    public const string Interval = "Seconds between two looks of --watch, 1 to 3600.";
    public const string OpenTeam = "Team of the session; without team and environment the defaults of the gateway.";
    public const string OpenEnvironment = "Environment of the session.";
    public const string Note = "Why: one line for its clients and the audit.";
    public const string Minutes = "How many minutes later it may end.";
    public const string Lines = "How many lines, 1 to 1000.";

    public const string WhereTokensAre = "The gateway makes the file at its first start, in its state_dir; name it with --token-file, or give --config and --set as the gateway was started with.";
}
