using System.CommandLine;

namespace SparkGateway.Api.Cli.Sessions;

internal static class SessionsVerb
{
    public static Command Create(CliConsole console) => new("sessions", SessionTexts.Sessions)
    {
        ListVerb.Create(console),
        DescribeVerb.Create(console),
        ChangeVerbs.CreateOpen(console),
        ChangeVerbs.CreateClose(console),
        ChangeVerbs.CreateExtend(console),
        LogsVerb.Create(console),
    };
}
