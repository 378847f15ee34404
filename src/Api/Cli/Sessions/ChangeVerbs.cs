using System.CommandLine;
using SparkGateway.Api.Admin;

namespace SparkGateway.Api.Cli.Sessions;

/// <summary>open, close and extend.</summary>
internal static class ChangeVerbs
{
    public static Command CreateOpen(CliConsole console)
    {
        var verb = new Command("open", SessionTexts.Open);
        var team = new Option<string?>("--team") { Description = SessionTexts.OpenTeam, HelpName = "TEAM" };
        var environment = new Option<string?>("--environment") { Description = SessionTexts.OpenEnvironment, HelpName = "ENVIRONMENT" };
        verb.Add(team);
        verb.Add(environment);
        var gateway = new GatewayArguments(verb);
        verb.SetAction((arguments, cancellation) =>
        {
            var body = new OpenSessionBody(arguments.GetValue(team), arguments.GetValue(environment));
            return gateway.RunAsync<OpenedSessionView>(
                arguments, console, client => client.SendAsync<OpenedSessionView>(HttpMethod.Post, SessionsApi.Path, body, cancellation), opened => WriteOpened(console.Out, opened));
        });
        return verb;
    }

    public static Command CreateClose(CliConsole console)
    {
        var verb = new Command("close", SessionTexts.Close);
        var id = new Argument<string>("ID") { Description = SessionTexts.Id };
        var note = new Option<string?>("--note") { Description = SessionTexts.Note, HelpName = "TEXT" };
        verb.Add(id);
        verb.Add(note);
        var gateway = new GatewayArguments(verb);
        verb.SetAction((arguments, cancellation) =>
        {
            var query = arguments.GetValue(note) is { Length: > 0 } text ? $"?note={Uri.EscapeDataString(text)}" : "";
            var path = AdminClient.PathOf(arguments.GetValue(id)!) + query;
            return gateway.RunAsync<ClosedSessionView>(
                arguments, console, client => client.SendAsync<ClosedSessionView>(HttpMethod.Delete, path, null, cancellation), closed => WriteClosed(console.Out, closed));
        });
        return verb;
    }

    public static Command CreateExtend(CliConsole console)
    {
        var verb = new Command("extend", SessionTexts.Extend);
        var id = new Argument<string>("ID") { Description = SessionTexts.Id };
        var minutes = new Option<int>("--minutes") { Description = SessionTexts.Minutes, HelpName = "NUMBER", Required = true };
        verb.Add(id);
        verb.Add(minutes);
        var gateway = new GatewayArguments(verb);
        verb.SetAction((arguments, cancellation) =>
        {
            var path = $"{AdminClient.PathOf(arguments.GetValue(id)!)}/extend";
            var body = new ExtendSessionBody(arguments.GetValue(minutes));
            return gateway.RunAsync<SessionView>(
                arguments,
                console,
                client => client.SendAsync<SessionView>(HttpMethod.Post, path, body, cancellation),
                session => console.Out.WriteLine($"{session.Namespace}/{session.SessionName} may live until {Table.Time(session.ExpiresAt)}"));
        });
        return verb;
    }

    private static void WriteOpened(TextWriter output, OpenedSessionView opened) => output.WriteLine(
        $"""
         session       {opened.Namespace}/{opened.SessionName}
         row id        {opened.SessionRowId}
         state         {AdminJson.Word(opened.State)}
         connection    {opened.ConnectionString}

         The first client that connects with it has the session:
         SparkSession.builder.remote("{opened.ConnectionString}").getOrCreate()
         """);

    private static void WriteClosed(TextWriter output, ClosedSessionView closed)
    {
        if (closed.WasOver) output.WriteLine("It was over before:");
        DescribeVerb.WriteSession(output, closed.Session);
    }
}
