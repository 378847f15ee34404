using System.CommandLine;
using SparkGateway.Api.Admin;

namespace SparkGateway.Api.Cli.Sessions;

internal static class LogsVerb
{
    public static Command Create(CliConsole console)
    {
        var verb = new Command("logs", SessionTexts.Logs);
        var id = new Argument<string>("ID") { Description = SessionTexts.Id };
        var lines = new Option<int>("--lines") { Description = SessionTexts.Lines, HelpName = "NUMBER", DefaultValueFactory = _ => 100 };
        verb.Add(id);
        verb.Add(lines);
        var gateway = new GatewayArguments(verb);
        verb.SetAction((arguments, cancellation) => gateway.RunAsync<LogView>(
            arguments,
            console,
            client => client.GetAsync<LogView>($"{AdminClient.PathOf(arguments.GetValue(id)!)}/logs?lines={arguments.GetValue(lines)}", cancellation),
            log =>
            {
                foreach (var line in log.Lines) console.Out.WriteLine(Table.Safe(line));
            }));
        return verb;
    }
}
