namespace SparkGateway.Api.Cli;

internal static class HelpTexts
{
    public const string Root = """
        One address for all Spark Connect clients: the gateway finds or starts the driver of each.

        First try:         spark-gateway serve --config config/local.yml
        What is in force:  spark-gateway check-config --config config/local.yml
        Who uses what:     spark-gateway sessions list --config config/local.yml
        Who used what:     docs/audit.md; spark-gateway audit prune forgets it
        Every key:         config/gateway.yml

        Exit codes: 0 ended well, 1 failed while running, 2 wrong arguments, configuration or environment.
        SPARK_GATEWAY_DEBUG=1 shows where an unexpected error happened.
        """;

    public const string Serve = "Serves Spark Connect clients until Ctrl-C or SIGTERM; prints the line to paste into PySpark once it is ready.";

    public const string CheckConfig = "Prints the configuration in force with the origin of each value, secrets masked; or everything that is wrong with it.";

    public const string Migrate = "Brings the schema of the store up to date, with the rights of its owner.";

    public const string Script = "Print the SQL instead of running it.";

    public const string Config = "YAML file laid over the built-in defaults; may be repeated, later wins.";

    public const string Set = "One key by its path, laid over files and environment, for example spark_connect.port=16002; may be repeated.";
}
