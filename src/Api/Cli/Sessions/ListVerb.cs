using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using SparkGateway.Api.Admin;
using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;

namespace SparkGateway.Api.Cli.Sessions;

internal sealed class ListVerb
{
    private readonly Option<string?> team = new("--team") { Description = SessionTexts.Team, HelpName = "TEAM" };
    private readonly Option<string?> user = new("--user") { Description = SessionTexts.User, HelpName = "USER" };
    private readonly Option<string?> space = new("--namespace") { Description = SessionTexts.Namespace, HelpName = "NAMESPACE" };
    private readonly Option<string?> state = new("--state") { Description = SessionTexts.State, HelpName = "STATE" };
    private readonly Option<int> limit = new("--limit") { Description = SessionTexts.Limit, HelpName = "NUMBER", DefaultValueFactory = _ => 1_000 };
    private readonly Option<bool> watch = new("--watch", "-w") { Description = SessionTexts.Watch };
    private readonly Option<int> interval = new("--interval") { Description = SessionTexts.Interval, HelpName = "SECONDS", DefaultValueFactory = _ => 2 };
    private readonly GatewayArguments gateway;
    private readonly CliConsole console;

    private ListVerb(Command verb, CliConsole console)
    {
        foreach (var option in (Option[])[team, user, space, state, limit, watch, interval]) verb.Add(option);
        gateway = new GatewayArguments(verb);
        this.console = console;
    }

    public static Command Create(CliConsole console)
    {
        var verb = new Command("list", SessionTexts.List);
        var list = new ListVerb(verb, console);
        verb.SetAction(list.RunAsync);
        return verb;
    }

    private async Task<int> RunAsync(ParseResult arguments, CancellationToken cancellation)
    {
        var (most, every) = (arguments.GetValue(limit), arguments.GetValue(interval));
        if (most < 1) return console.Refuse("--limit must be 1 or more.");
        if (every is < 1 or > 3600) return console.Refuse("--interval must be 1 to 3600.");
        var printer = new SessionPrinter(console, gateway.IsJson(arguments));
        return arguments.GetValue(watch)
            ? await gateway.WithClientAsync(arguments, console, client => WatchAsync(client, QueryOf(arguments), most, TimeSpan.FromSeconds(every), printer, cancellation))
            : await gateway.RunAsync<IReadOnlyList<SessionView>>(arguments, console, client => ListAsync(client, QueryOf(arguments), most, cancellation), printer.WriteTable);
    }

    private async Task<int> WatchAsync(AdminClient client, string query, int most, TimeSpan every, SessionPrinter printer, CancellationToken cancellation)
    {
        using var timer = new PeriodicTimer(every, TimeProvider.System);
        var known = new Dictionary<Guid, SessionView>();
        do
        {
            var list = await ListAsync(client, query, most, cancellation);
            if (!list.TryGet(out var sessions, out var error)) return console.Fail(error);
            var now = sessions.ToDictionary(session => session.SessionRowId);
            var gone = new List<SessionView>();
            foreach (var id in known.Keys.Where(id => !now.ContainsKey(id)))
            {
                // Ended sessions leave the list of the live ones: their last line says how.
                var last = await client.GetAsync<SessionDetailView>(AdminClient.PathOf(id.ToString()), cancellation);
                if (last.IsOk) gone.Add(last.Value.Session);
            }

            printer.WriteChanged([.. gone, .. sessions.Where(session => IsNews(known, session))]);
            known = now;
        }
        while (await timer.WaitForNextTickAsync(cancellation));

        return ExitCode.Ok;
    }

    /// <summary>Activity alone is none: it moves every few seconds.</summary>
    private static bool IsNews(Dictionary<Guid, SessionView> known, SessionView session) =>
        !known.TryGetValue(session.SessionRowId, out var before)
        || before with { LastActivityAt = null, BusyUntil = null } != session with { LastActivityAt = null, BusyUntil = null };

    private async Task<Result<IReadOnlyList<SessionView>>> ListAsync(AdminClient client, string query, int most, CancellationToken cancellation)
    {
        var sessions = new List<SessionView>();
        var next = "";
        while (true)
        {
            var read = await client.GetAsync<SessionListView>($"{SessionsApi.Path}?{query}{next}", cancellation);
            if (!read.TryGet(out var page, out var error)) return error;
            sessions.AddRange(page.Items.Take(most - sessions.Count));
            var isCut = sessions.Count == most && (page.Next is not null || page.Items.Count > most);
            if (isCut) await console.Error.WriteLineAsync($"spark-gateway: there are more than {most} sessions (--limit).");
            if (page.Next is null || sessions.Count == most) return sessions;
            next = $"&after={page.Next}";
        }
    }

    private string QueryOf(ParseResult arguments)
    {
        (string Name, Option<string?> Option)[] filters = [("team", team), ("user", user), ("namespace", space), ("state", state)];
        return string.Join('&', filters.Where(filter => !string.IsNullOrEmpty(arguments.GetValue(filter.Option))).Select(filter => $"{filter.Name}={Uri.EscapeDataString(arguments.GetValue(filter.Option)!)}"));
    }
}

/// <summary>Sessions as rows, or as JSON: one document for a list, one line for each change.</summary>
internal sealed class SessionPrinter(CliConsole console, bool isJson)
{
    private static readonly JsonSerializerOptions Indented = new(AdminJson.Options) { WriteIndented = true };

    private readonly Table table = new(console.Out, "NAMESPACE", "NAME", "STATE", "TEAM", "ENVIRONMENT", "USER", "OPENED", "EXPIRES");

    public static string ToJson<T>(T value) => JsonSerializer.Serialize(value, Indented);

    public static string UserOf(SessionView session) => session.OpenedBy switch
    {
        null when session.Kind == SessionKind.OnDemand => "(unclaimed)",
        "" => "(no user)",
        var user => Table.Safe(user),
    };

    public void WriteTable(IReadOnlyList<SessionView> sessions) => table.Write([.. sessions.Select(Row)]);

    public void WriteChanged(IReadOnlyList<SessionView> sessions)
    {
        if (!isJson) WriteTable(sessions);
        else foreach (var session in sessions) console.Out.WriteLine(JsonSerializer.Serialize(session, AdminJson.Options));
        console.Out.Flush();
    }

    private static string[] Row(SessionView session) =>
    [
        session.Namespace,
        session.SessionName,
        session.EndReason is { } reason ? string.Create(CultureInfo.InvariantCulture, $"{AdminJson.Word(session.State)} ({AdminJson.Word(reason)})") : AdminJson.Word(session.State),
        session.Team ?? "",
        session.Environment ?? "",
        UserOf(session),
        Table.Time(session.OpenedAt),
        Table.Time(session.ExpiresAt),
    ];
}
