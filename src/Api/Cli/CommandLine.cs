using System.CommandLine;

namespace SparkGateway.Api.Cli;

/// <summary>Runs the verb that the arguments name. Whatever happens ends as one sentence and an exit code.</summary>
internal static class CommandLine
{
    private const string DebugSwitch = "SPARK_GATEWAY_DEBUG";

    public static async Task<int> RunAsync(RootCommand root, string[] args, CliConsole console)
    {
        try
        {
            var arguments = root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
            if (arguments.Errors.Count > 0) return console.Refuse(Usage(args, arguments));
            // The host of `serve` ends on signals itself; the other verbs are short.
            var invocation = new InvocationConfiguration
            {
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null,
                Output = console.Out,
                Error = console.Error,
            };
            return await arguments.InvokeAsync(invocation);
        }
        catch (Exception e)
        {
            return Unexpected(e, console);
        }
    }

    private static string Usage(string[] args, ParseResult arguments) => args.Length == 0
        ? "say what to do: serve, check-config or migrate; --help shows how."
        : $"{arguments.Errors[^1].Message.TrimEnd('.')}; 'spark-gateway {VerbHelp(arguments)}' shows what is allowed.";

    private static string VerbHelp(ParseResult arguments) =>
        arguments.CommandResult.Command is RootCommand ? "--help" : $"{arguments.CommandResult.Command.Name} --help";

    private static int Unexpected(Exception e, CliConsole console)
    {
        var code = console.Fail($"{e.GetType().Name}: {e.Message} This is a bug, please report it ({DebugSwitch}=1 shows where it happened).");
        if (Environment.GetEnvironmentVariable(DebugSwitch) == "1") console.Error.WriteLine(e);
        return code;
    }
}
