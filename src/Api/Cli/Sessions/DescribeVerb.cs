using System.CommandLine;
using SparkGateway.Api.Admin;

namespace SparkGateway.Api.Cli.Sessions;

internal static class DescribeVerb
{
    public static Command Create(CliConsole console)
    {
        var verb = new Command("describe", SessionTexts.Describe);
        var id = new Argument<string>("ID") { Description = SessionTexts.Id };
        verb.Add(id);
        var gateway = new GatewayArguments(verb);
        verb.SetAction((arguments, cancellation) => gateway.RunAsync<SessionDetailView>(
            arguments, console, client => client.GetAsync<SessionDetailView>(AdminClient.PathOf(arguments.GetValue(id)!), cancellation), detail => Write(console.Out, detail)));
        return verb;
    }

    public static void WriteSession(TextWriter output, SessionView session)
    {
        (string Name, string Value)[] lines =
        [
            ("session", $"{session.Namespace}/{session.SessionName}"),
            ("row id", $"{session.SessionRowId}"),
            ("kind", $"{AdminJson.Word(session.Kind)}, platform {session.Platform}, incarnation {session.Incarnation}"),
            ("state", AdminJson.Word(session.State)),
            ("team", $"{Table.Safe(session.Team)}/{Table.Safe(session.Environment)}"),
            ("opened by", SessionPrinter.UserOf(session)),
            ("driver", Table.Safe(session.Address)),
            ("opened", Table.Time(session.OpenedAt)),
            ("ready", Table.Time(session.ReadyAt)),
            ("last activity", Table.Time(session.LastActivityAt)),
            ("busy until", Table.Time(session.BusyUntil)),
            ("expires", Table.Time(session.ExpiresAt)),
            ("ended", session.EndReason is { } reason ? $"{Table.Time(session.EndedAt)}, {AdminJson.Word(reason)}: {Table.Safe(session.EndDetail)}" : "-"),
        ];
        foreach (var (name, value) in lines.Where(line => line.Value is not ("-" or "-/-"))) output.WriteLine($"{name,-14}{value}");
    }

    private static void Write(TextWriter output, SessionDetailView detail)
    {
        WriteSession(output, detail.Session);
        foreach (var replica in detail.OpenCalls) output.WriteLine($"{"open calls",-14}{replica.Calls} on replica {replica.Replica} ({replica.Host}){(replica.ToldAt is { } at ? $", told {Table.Time(at)}" : "")}");
        output.WriteLine();
        new Table(output, "USER", "CLIENT SESSION", "STATE", "VIA", "SINCE", "RELEASED").Write(
            [.. detail.Bindings.Select(binding => (string[])[binding.User ?? "(unclaimed)", $"{binding.ClientSessionPrefix}...", AdminJson.Word(binding.State), binding.Via, Table.Time(binding.CreatedAt), Table.Time(binding.ReleasedAt)])]);
        output.WriteLine();
        new Table(output, "AT", "ACTION", "ACTOR", "CLIENT SESSION", "REASON", "DETAIL").Write(
            [.. detail.Audit.Select(row => (string[])[Table.Time(row.At), row.Action, row.Actor, row.ClientSessionPrefix ?? "", row.Reason ?? "", row.Detail.GetRawText()])]);
    }
}
