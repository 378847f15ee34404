using SparkGateway.Infrastructure.Options;

namespace SparkGateway.Infrastructure.Tests.Options;

public sealed class ClientTokenFileTests : IDisposable
{
    private const string Token = "0123456789abcdef";
    private const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly ConfigFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Read_NamesTokensAndComments_GivesAHashForEachToken()
    {
        var problems = new List<ConfigProblem>();

        var tokens = ClientTokenFile.Read(Write($"# who: what\n\nana: {Token}\n  ana :\t{Token}:2  \r\nbo@team: {Token}3"), problems);

        Assert.Empty(problems);
        Assert.Equal(["ana", "ana", "bo@team"], tokens.Select(token => token.Name));
        Assert.Equal(3, tokens.Select(token => Convert.ToHexString(token.Hash)).Distinct().Count());
        Assert.DoesNotContain(Token, string.Join(' ', tokens), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", 0, "holds no token")]
    [InlineData("# only a comment\n", 0, "holds no token")]
    [InlineData("ana: 0123456789abcdef\nbo 0123456789abcdeX\n", 2, "write NAME: TOKEN")]
    [InlineData("0123456789abcdef\n", 1, "write NAME: TOKEN")]
    [InlineData(": 0123456789abcdef\n", 1, "the name before the colon")]
    [InlineData("a b: 0123456789abcdef\n", 1, "the name before the colon")]
    [InlineData("ana: 0123456789abcde\n", 1, "less than 16 characters")]
    [InlineData("ana:\n", 1, "less than 16 characters")]
    [InlineData("ana: 01234567 89abcdef\n", 1, "no header can carry")]
    [InlineData("ana: 0123456789abcd\u00e9f\n", 1, "no header can carry")]
    [InlineData("ana: 0123456789abcdef\n#\nbo: 0123456789abcdef\n", 3, "the token of line 1 again")]
    public void Load_BadTokenFile_NamesFileAndLineAndNoToken(string content, int line, string text)
    {
        var file = Write(content);

        var problem = Assert.Single(ConfigFolder.Load([], null, $"spark_connect.token_file={file}").Problems);

        Assert.Equal(line == 0 ? file : $"{file}:{line}", problem.Where.ToString());
        Assert.Equal("spark_connect.token_file", problem.Key);
        Assert.Contains(text, problem.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("0123", problem.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(UnixFileMode.GroupRead, true)]
    [InlineData(UnixFileMode.OtherRead, false)]
    [InlineData(UnixFileMode.OtherWrite, false)]
    public void Load_TokenFileOpenToAll_IsRefused(UnixFileMode more, bool isAllowed)
    {
        // By a link, as Kubernetes mounts a Secret: what counts is the file behind it.
        var link = Path.Combine(folder.Root, "link");
        File.CreateSymbolicLink(link, Write($"ana: {Token}\n", Owner | more));

        var problems = ConfigFolder.Load([], null, $"spark_connect.token_file={link}").Problems;

        Assert.Equal(isAllowed, problems.Count == 0);
        Assert.All(problems, problem => Assert.Contains("chmod o-rwx", problem.Text, StringComparison.Ordinal));
    }

    private string Write(string content, UnixFileMode mode = Owner)
    {
        var file = folder.Write("tokens", content);
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(file, mode);
        return file;
    }
}
