using System.CommandLine;
using SparkGateway.Infrastructure.Options;

namespace SparkGateway.Api.Cli;

internal static class CheckConfigVerb
{
    public static Command Create(CliConsole console)
    {
        var verb = new Command("check-config", HelpTexts.CheckConfig);
        var configuration = new ConfigArguments(verb);
        verb.SetAction(arguments => Run(GatewayConfig.Load(configuration.Read(arguments)), console));
        return verb;
    }

    private static int Run(LoadedConfig config, CliConsole console)
    {
        if (config.Problems.Count > 0) return console.Refuse(config.Problems);
        console.Out.Write(config.ToYaml());
        foreach (var warning in config.Warnings) console.Out.WriteLine($"# warning: {warning}");
        return ExitCode.Ok;
    }
}
